import { defineService, fromFunctions } from "../../harness/index.ts";

/** A service whose API is SQL: every function is an operation. */
export default defineService({ setup: "schema.sql", operations: fromFunctions("public") });
