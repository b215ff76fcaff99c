import { Checkers, checkersOf } from "../checkers/registry.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { ExecutorOptions } from "../execution/executor-options.ts";
import { readFootprints } from "../footprints/footprints.ts";
import type { Server } from "../postgres/provider.ts";
import { type AppliedMutant, openExecutor } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { type Change, untouchedPairs } from "./changed-pairs.ts";
import { comparesTimes } from "./compared-times.ts";
import { conflictsOfPairs, type PairConflicts, withPairs } from "./independent-pairs.ts";

/** A service that is ready for executions, and what it learned of itself before; null: it learns nothing. */
export interface ProfiledService<State extends Json, Op extends Operation> {
  /** With the pairs that are searched, those first whose conflicts can close a cycle. */
  readonly service: Service<State, Op>;
  readonly profile: Json;
  /** The names of the pairs that the service no longer has: their operations touch nothing in common. */
  readonly independent: readonly string[];
  /** The names of the pairs that the service no longer has: a change does not concern them. */
  readonly untouched: readonly string[];
}

/** A service that has learned nothing. */
export function unprofiled<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
): ProfiledService<State, Op> {
  return { service, profile: null, independent: [], untouched: [] };
}

/** How long a profile may take, in ms: a service of fifty operations needs about two minutes. */
const PROFILE_MS = 600_000;

/** See `ExecutorOptions`; of `control`, only the isolation level counts. */
export interface ProfileOptions
  extends Pick<ExecutorOptions, "control" | "stepTimeoutMs" | "signal" | "setupMs"> {
  /** Whether its pairs of operations are needed. Default: true. */
  readonly pairs?: boolean;
  /** Only the pairs that it concerns are kept. Default: all. */
  readonly change?: Change | undefined;
}

/**
 * Has a service learn of itself what it needs for executions (see `System.profile`), on a database of its
 * own and without gates. A service that learns nothing is returned as it is.
 */
export async function withProfile<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  mutant: AppliedMutant | undefined,
  { control: { isolation, observe }, pairs = true, change, ...options }: ProfileOptions,
): Promise<ProfiledService<State, Op>> {
  if (service.profiled === undefined) return unprofiled(service);
  // What one statement of a client does in routines are several steps.
  const control = { gates: ["statement", "routine"], isolation } as const;
  const executor = await openExecutor(server, service, mutant, {
    ...options,
    control,
    ...(pairs && { footprints: readFootprints }),
  });
  try {
    const profile = await executor.use(
      "the service's profile()",
      async (system) => system.profile?.(pairs),
      PROFILE_MS,
    );
    if (profile === undefined) {
      throw new HarnessError("SERVICE_FAILED", "the system of a service has no profile()");
    }
    const profiled = service.profiled(profile);
    const checkers = new Checkers(checkersOf(profiled, ["invariant", "contract"]));
    const holds = async (execution: Execution<State, Op>) => {
      const { violations } = await checkers.check(execution, (...given) =>
        executor.execute(...given),
      );
      return violations.length === 0;
    };
    const all = profiled.pairs?.() ?? [];
    // Where each commit is observed, the order of any two of them matters.
    const { independent, cyclic } =
      pairs && observe === undefined
        ? await conflictsOfPairs(
            executor,
            all,
            holds,
            await comparesTimes(executor.directUrl, profiled),
          )
        : NO_CONFLICTS;
    const conflicting = without(all, independent);
    const untouched =
      pairs && change !== undefined ? await untouchedPairs(executor, conflicting, change) : [];
    const kept = without(conflicting, untouched).map(({ name }) => name);
    const first = new Set(cyclic);
    const names = [true, false].flatMap((isFirst) =>
      kept.filter((one) => first.has(one) === isFirst),
    );
    return { service: withPairs(profiled, names), profile, independent, untouched };
  } finally {
    await executor.close();
  }
}

const NO_CONFLICTS: PairConflicts = { independent: [], cyclic: [] };

function without<P extends { readonly name: string }>(
  pairs: readonly P[],
  names: readonly string[],
): readonly P[] {
  const left = new Set(names);
  return pairs.filter(({ name }) => !left.has(name));
}
