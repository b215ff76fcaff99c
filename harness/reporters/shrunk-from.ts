import type { Counterexample } from "../core/counterexample.ts";
import { operationCount } from "../core/scenario.ts";
import { counted } from "./counted.ts";

/** How large it was before shrinking; undefined where it is still as large. */
export function shrunkFrom(c: Counterexample): string | undefined {
  const { operations, preemptions } = c.shrunk;
  if (operations === operationCount(c.scenario) && preemptions === c.preemptions) return undefined;
  return `${counted(operations, "operation")} and ${counted(preemptions, "preemption")}`;
}
