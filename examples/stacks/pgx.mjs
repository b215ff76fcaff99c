import { lostUpdateOfService } from "./lost-update.mjs";

/** With the sources of Debian's packages. */
const env = { GO111MODULE: "off", GOPATH: "/usr/share/gocode" };

export default lostUpdateOfService({ exec: ["go", "run", "pgx-service.go"], env });
