import { defineService } from "../../harness/index.ts";
import functions from "./functions.heddle.ts";

/** The same functions without their races. */
export default defineService({ ...functions, setup: ["schema.sql", "fixed.sql"] });
