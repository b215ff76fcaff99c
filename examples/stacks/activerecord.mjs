import { lostUpdateOfService } from "./lost-update.mjs";

export default lostUpdateOfService({ exec: ["ruby", "activerecord-service.rb"] });
