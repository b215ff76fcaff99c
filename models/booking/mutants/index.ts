import { HarnessError } from "../../../harness/index.ts";
import { checkThenInsert } from "./check-then-insert.ts";
import type { BookingMutant } from "./mutant.ts";
import { twoTransactionCancel } from "./two-transaction-cancel.ts";

export const mutants: readonly BookingMutant[] = [checkThenInsert, twoTransactionCancel];

/** @throws HarnessError USAGE when there is no mutant of that name. */
export function mutantNamed(name: string): BookingMutant {
  const mutant = mutants.find((one) => one.name === name);
  if (mutant !== undefined) return mutant;
  const names = mutants.map((one) => one.name).join(", ");
  throw new HarnessError("USAGE", `There is no mutant "${name}": choose one of ${names}.`);
}
