import type { Checker } from "../checkers/checker.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";

/** Which gated routines each scenario was seen to run through. */
export class RoutineCoverage {
  readonly #byScenario = new Map<string, Set<string>>();
  readonly #gated = new Set<string>();

  /** It finds nothing, and looks at every execution. */
  recorder<State extends Json, Op extends Operation>(): Checker<State, Op> {
    return {
      rules: [],
      check: ({ scenario, trace }) => {
        const key = JSON.stringify(scenario);
        const routines = this.#byScenario.get(key) ?? new Set();
        for (const event of trace) {
          if (event.type !== "gate") continue;
          routines.add(event.place.of);
          this.#gated.add(event.place.of);
        }
        this.#byScenario.set(key, routines);
        return { violations: [] };
      },
    };
  }

  /**
   * Whether a change of a routine can make a difference in a scenario: none where the routine did
   * not run in any of the schedules, since each of them then goes as it went without the change.
   * Routines that were seen nowhere have no gates perhaps, and can run anywhere.
   */
  matters(routine: string | null, scenario: Scenario): boolean {
    if (routine === null || !this.#gated.has(routine)) return true;
    return this.#byScenario.get(JSON.stringify(scenario))?.has(routine) ?? true;
  }
}
