import { readdirSync } from "node:fs";
import { extname } from "node:path";
import type { Service } from "../../harness/index.ts";
import { sc1 } from "./attacks/sc1.ts";
import { invariants } from "./invariants.ts";
import { model } from "./model.ts";
import { mutantNamed, mutants } from "./mutants/index.ts";
import type { BookingMutant } from "./mutants/mutant.ts";
import type { BookingOperation } from "./operations.ts";
import { pairs } from "./pairs.ts";
import { patterns } from "./patterns.ts";
import { promises } from "./promises.ts";
import { codes, ids } from "./responses.ts";
import { scenarios } from "./scenarios.ts";
import type { BookingState } from "./state.ts";
import { survivors } from "./survivors.ts";
import { migrateBooking, startBooking } from "./system.ts";

/** Describes the booking service of `src/` and `migrations/` to Heddle. */
const booking: Service<BookingState, BookingOperation> = {
  name: "booking",

  migrate: async (directUrl, mutant) => migrateBooking(directUrl, seeded(mutant)),
  start: async (context, mutant) => startBooking(context, seeded(mutant)),

  scenarios,
  pairs,
  patterns,
  invariants,
  model,
  ids,
  codes,
  seededBugs: mutants,
  attacks: [sc1],
  promises,
  survivors,
  sources: sources(),
};

export default booking;

function seeded(mutant: string | undefined): BookingMutant | undefined {
  return mutant === undefined ? undefined : mutantNamed(mutant);
}

/** The files on which a counterexample depends: the schema, this folder, and the service. */
function sources(): URL[] {
  const extension = extname(import.meta.url);
  const own = ["./", "./attacks/", "./mutants/", "../../src/"];
  return [
    ...filesIn("../../migrations/", ".sql"),
    ...own.flatMap((folder) => filesIn(folder, extension)),
    ...filesIn("../../src/browser/", ".js"),
  ];
}

function filesIn(folder: string, extension: string): URL[] {
  const base = new URL(folder, import.meta.url);
  return readdirSync(base)
    .filter((name) => name.endsWith(extension) && !/\.(test|fixture|d)\.[jt]s$/.test(name))
    .sort()
    .map((name) => new URL(name, base));
}
