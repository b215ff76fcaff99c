import { CONTRACT_RULES, checkContract } from "../checkers/contract.ts";
import { checkInvariants } from "../checkers/invariants.ts";
import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Violation } from "../core/verdict.ts";
import type { Subject } from "./subject.ts";

/** A rule that every execution is judged by. */
export interface Rule {
  readonly judge: string;
  readonly name: string;
  readonly description: string;
}

export function rulesOf<State extends Json, C extends Command>(
  subject: Subject<State, C>,
): readonly Rule[] {
  return [
    ...subject.invariants.map(({ name, description }) => ({
      judge: "invariant",
      name,
      description,
    })),
    ...Object.entries(CONTRACT_RULES).map(([name, description]) => ({
      judge: "contract",
      name,
      description,
    })),
  ];
}

/** All that an execution broke. Throws HarnessError `MODEL_FAILED` when a judge itself breaks. */
export function judge<State extends Json, C extends Command>(
  subject: Subject<State, C>,
  execution: Execution<State, C>,
): readonly Violation[] {
  try {
    return [
      ...checkInvariants(execution, subject.invariants),
      ...checkContract(execution, subject.codes),
    ];
  } catch (cause) {
    throw new HarnessError(
      "MODEL_FAILED",
      `an invariant of the model "${subject.name}" threw: ${String(cause)}; ` +
        "what breaks an invariant is returned, not thrown",
      { cause },
    );
  }
}

/** Whether both are of the same rule: what shrinking must not lose sight of. */
export function sameRule(a: Violation, b: Violation): boolean {
  return a.judge === b.judge && a.name === b.name;
}
