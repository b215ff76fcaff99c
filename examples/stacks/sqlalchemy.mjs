import { lostUpdateOfService } from "./lost-update.mjs";

export default lostUpdateOfService({ exec: ["/usr/bin/python3", "sqlalchemy-service.py"] });
