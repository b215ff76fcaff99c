import type { Counterexample } from "../core/counterexample.ts";
import { commandCount } from "../core/scenario.ts";
import { counted } from "./counted.ts";

/** How large it was before shrinking; undefined where it is still as large. */
export function shrunkFrom(c: Counterexample): string | undefined {
  const { commands, preemptions } = c.shrunk;
  if (commands === commandCount(c.scenario) && preemptions === c.preemptions) return undefined;
  return `${counted(commands, "command")} and ${counted(preemptions, "preemption")}`;
}
