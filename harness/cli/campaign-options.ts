import { Option } from "commander";
import { DEFAULTS } from "../explorer/defaults.ts";
import { faultKinds, observationNamed } from "./options.ts";

/** `--invariant FILE…`. */
export function invariantOption(): Option {
  const what = "a query that must have no rows, as a .sql file, or a folder of such";
  return new Option("--invariant <file...>", what);
}

/** `--invariants WHEN`. */
export function invariantsOption(): Option {
  return new Option("--invariants <when>", "when they have to hold: end, or each-commit")
    .argParser(observationNamed)
    .default(undefined, "end");
}

/** `--faults KINDS`. */
export function faultsOption(): Option {
  return new Option(
    "--faults <kinds>",
    "what strikes now and then: a list of none, connection, all, service, server, and of kinds",
  )
    .argParser(faultKinds)
    .default(DEFAULTS.faults, "none");
}
