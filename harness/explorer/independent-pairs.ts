import type { Execution } from "../core/execution.ts";
import { type Footprint, independent } from "../core/footprint.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Executor } from "../execution/executor.ts";
import { FirstEnabled } from "../execution/first-enabled.ts";
import { hasFewConnections } from "../execution/system.ts";
import type { FootprintOf } from "../scheduler/scheduler.ts";
import type { Pair, Service } from "../service/service.ts";

/** The footprints of an operation's steps, when it runs alone. Undefined for a step: it may touch anything. */
type Steps = readonly (Footprint | undefined)[];

/** How the operations of pairs conflict, by the names of the pairs. */
export interface PairConflicts {
  /** Those whose operations touch nothing in common. */
  readonly independent: readonly string[];
  /** Those whose conflicts can close a cycle, so that no serial order explains the result. */
  readonly cyclic: readonly string[];
}

/**
 * How the operations of each pair conflict, by what each touches when it runs alone in the pair's initial state.
 *
 * Where they touch nothing in common, all interleavings lead to the same result, in which every rule holds. Conflicts
 * can close a cycle where two steps of one operation conflict with the other one, which may run between them: the
 * abstract histories of Warszawski and Bailis, "ACIDRain" (SIGMOD 2017). A pair whose clients send several operations
 * is neither, since the later ones may depend on the earlier ones of another client.
 *
 * No pair is independent where clients may take the connections of a pool from each other, or find in one what
 * another client has left there: an operation that runs alone shows neither.
 *
 * @param executor has footprints
 * @param holds whether every rule holds in an execution: an invariant may compare what both have written
 * @param comparesTimes whether a rule may compare times of the clock which the operations store in different tables
 */
export async function conflictsOfPairs<State extends Json, Op extends Operation>(
  executor: Pick<Executor<State, Op>, "execute" | "discoveries" | "use">,
  pairs: readonly Pair<State, Op>[],
  holds: (execution: Execution<State, Op>) => Promise<boolean>,
  comparesTimes: boolean,
): Promise<PairConflicts> {
  const known = new Map<string, Steps>();
  let sharesConnections = await executor.use("the service's pools", async (system) =>
    hasFewConnections(system, 2),
  );
  const stepsOf = async (initial: State, operation: Op): Promise<Steps> => {
    const key = JSON.stringify([initial, operation]);
    const steps = known.get(key);
    if (steps !== undefined) return steps;
    const { discoveries } = executor;
    discoveries.forget();
    let recorder: FootprintRecorder;
    do {
      recorder = new FootprintRecorder(comparesTimes);
      await executor.execute({ initial, clients: [[operation]] }, recorder);
    } while (recorder.isOutdated);
    sharesConnections ||= discoveries.sessionsDiffer;
    known.set(key, recorder.steps);
    return recorder.steps;
  };
  const found = { independent: [] as string[], cyclic: [] as string[] };
  for (const { name, scenario } of pairs) {
    const [[first, ...more] = [], [second, ...others] = [], ...further] = scenario.clients;
    if (first === undefined || second === undefined) continue;
    if (more.length + others.length + further.length > 0) continue;
    const [one, other] = [
      await stepsOf(scenario.initial, first),
      await stepsOf(scenario.initial, second),
    ];
    const most = Math.max(conflicting(one, other), conflicting(other, one));
    if (most > 1) found.cyclic.push(name);
    else if (most === 0 && (await holds(await executor.execute(scenario, new FootprintRecorder()))))
      found.independent.push(name);
  }
  return sharesConnections ? { ...found, independent: [] } : found;
}

/** How many of some steps conflict with one of the others; what one does that may touch anything may be several. */
function conflicting(steps: Steps, others: Steps): number {
  const found = steps.filter((a) => others.some((b) => !independent(a, b)));
  return found.length + found.filter((step) => step === undefined).length;
}

/** The service with those of its pairs alone, in that order. */
export function withPairs<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  names: readonly string[],
): Service<State, Op> {
  const all = new Map(service.pairs?.().map((pair) => [pair.name, pair]));
  return { ...service, pairs: () => names.flatMap((name) => all.get(name) ?? []) };
}

/** Executes one client after the other, and records what each step may touch. */
export class FootprintRecorder extends FirstEnabled {
  readonly steps: (Footprint | undefined)[] = [];
  readonly #comparesTimes: boolean;

  /** @param comparesTimes see `conflictsOfPairs`. Default: the clock is in no footprint */
  constructor(comparesTimes = false) {
    super();
    this.#comparesTimes = comparesTimes;
  }

  /** Whether a later step has shown that these are too small. */
  isOutdated = false;

  footprintsGrew(): void {
    this.isOutdated = true;
  }

  override choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    footprintOf: FootprintOf = () => undefined,
  ): Choice {
    const choice = super.choose(enabled, previous);
    const footprint = footprintOf(choice);
    this.steps.push(footprint && { ...footprint, clock: footprint.clock && this.#comparesTimes });
    return choice;
  }
}
