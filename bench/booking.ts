import { definedService } from "../harness/service/defined-service.ts";
import definition from "../models/booking/index.ts";

/** The sample, as its definition compiles. */
export const booking = definedService(
  definition,
  "models/booking/index.ts",
  new URL("../models/booking/index.ts", import.meta.url),
);
