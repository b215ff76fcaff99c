import type { Checker } from "../checkers/checker.ts";
import { checkersOf } from "../checkers/registry.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { preemptionCount } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { operationCount } from "../core/scenario.ts";
import type { FailingExecution } from "../explorer/explore-scenario.ts";
import { hashSources } from "../explorer/provenance.ts";
import type { Server } from "../postgres/provider.ts";
import { mutated } from "../service/open-executor.ts";
import type { Pair, Service, ServicePromise } from "../service/service.ts";
import { version } from "../version.ts";
import type { Derivation } from "./derivation.ts";
import { changesWithout, derivationOf, withoutName } from "./derived-service.ts";
import type { LayerCase, LayersOfDefence, PromiseLayers } from "./layers-report.ts";
import { provenanceOf } from "./provenance.ts";
import { type SearchOptions, type SearchStage, search } from "./search.ts";

export interface LayersOptions extends SearchOptions {
  readonly preemptions: number;
  readonly onCase?: (promised: ServicePromise, found: LayerCase) => void;
}

/**
 * Takes the protections of each of a service's promises away, alone and together, and looks in every
 * interleaving of the promise's pairs whether it still holds. Other rules may be broken meanwhile:
 * only the promise's own count.
 * @throws HarnessError USAGE when the service has no promises, or SERVICE_FAILED when one names a
 * mutant or a pair that there is not.
 */
export async function layersOfDefence<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  options: LayersOptions,
): Promise<LayersOfDefence> {
  const promised = service.promises ?? [];
  if (promised.length === 0) {
    throw new HarnessError("USAGE", `the model "${service.name}" has no promises to look at`);
  }
  const began = performance.now();
  const provenance = await provenanceOf(server, service);
  const derivation = await derivationOf(server, service);
  const promises: PromiseLayers[] = [];
  for (const one of promised) {
    const known = new Set(checkersOf(service).flatMap(({ rules }) => rules.map(keyOf)));
    const missing = one.rules.find((rule) => !known.has(keyOf(rule)));
    if (missing !== undefined) throw mistaken(one, `there is no rule ${keyOf(missing)}`);
    const pairs = pairsOf(service, one);
    const cases: LayerCase[] = [];
    for (const without of setsOf(one.protections.map(({ name }) => name))) {
      const found = await tried(
        server,
        service,
        { promised: one, pairs, without },
        derivation,
        options,
      );
      cases.push(found);
      options.onCase?.(one, found);
    }
    promises.push({ ...one, cases });
  }
  return {
    service: service.name,
    preemptions: options.preemptions,
    promises,
    executions: promises
      .flatMap(({ cases }) => cases)
      .reduce((sum, { executions }) => sum + executions, 0),
    elapsedMs: performance.now() - began,
    control: options.control,
    ...provenance,
  };
}

/** None; each alone; each two; all but one; all. */
function setsOf<T>(names: readonly T[]): readonly (readonly T[])[] {
  const all: (readonly T[])[] = [[]];
  for (const name of names) all.push(...all.map((set) => [...set, name]));
  return all
    .filter(({ length }) => length <= 2 || length >= names.length - 1)
    .sort((a, b) => a.length - b.length);
}

function mistaken({ name }: ServicePromise, what: string, cause?: unknown): HarnessError {
  return new HarnessError("SERVICE_FAILED", `the promise "${name}" is mistaken: ${what}`, {
    cause,
  });
}

function pairsOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  promised: ServicePromise,
): readonly Pair<State, Op>[] {
  const all = service.pairs?.() ?? [];
  return promised.pairs.map((name) => {
    const pair = all.find((one) => one.name === name);
    if (pair === undefined) throw mistaken(promised, `there is no pair "${name}"`);
    return pair;
  });
}

interface Case<State extends Json, Op extends Operation> {
  readonly promised: ServicePromise;
  readonly pairs: readonly Pair<State, Op>[];
  readonly without: readonly string[];
}

async function tried<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  { promised, pairs, without }: Case<State, Op>,
  derivation: Derivation,
  options: LayersOptions,
): Promise<LayerCase> {
  const ddl = ddlOf(promised, without, derivation);
  const changed = { ...mutated(service, ddl), pairs: () => pairs };
  const checkers = checkersOf(service).flatMap((checker) => keptTo(checker, promised));
  const stages: readonly SearchStage[] = [{ pairs: true, preemptions: options.preemptions }];
  const { failing, brokenAt, complete, executions, reason } = await search(
    server,
    changed,
    { checkers, stages },
    options,
  );
  const counterexample =
    failing === undefined
      ? null
      : await counterexampleOf(failing, {
          ...{ server, service, brokenAt, executions, options },
          mutant: without.length === 0 ? null : withoutName(promised.name, without),
        });
  const outcome = failing !== undefined ? "breaks" : complete ? "holds" : "unknown";
  return { without, outcome, reason: reason ?? null, executions, counterexample };
}

function ddlOf(
  promised: ServicePromise,
  without: readonly string[],
  derivation: Derivation,
): string {
  try {
    return derivation.combined(changesWithout(promised, without));
  } catch (cause) {
    throw mistaken(promised, (cause as Error).message, cause);
  }
}

const keyOf = ({ checker, name }: { readonly checker: string; readonly name: string }): string =>
  `${checker}/${name}`;

/** The checker, if it has rules of the promise's, and of what it finds only what breaks those. */
function keptTo<State extends Json, Op extends Operation>(
  checker: Checker<State, Op>,
  { rules }: ServicePromise,
): readonly Checker<State, Op>[] {
  const kept = new Set(rules.map(keyOf));
  const own = checker.rules.filter((rule) => kept.has(keyOf(rule)));
  if (own.length === 0) return [];
  return [
    {
      rules: own,
      check: async (execution, again) => {
        const { violations, undecided } = await checker.check(execution, again);
        return { violations: violations.filter((it) => kept.has(keyOf(it))), undecided };
      },
    },
  ];
}

/** Nothing smaller is looked for: it is a pair of operations, and of its schedules one with the fewest preemptions. */
async function counterexampleOf<State extends Json, Op extends Operation>(
  { execution, violations }: FailingExecution<State, Op>,
  found: {
    readonly server: Server;
    readonly service: Service<State, Op>;
    readonly mutant: string | null;
    readonly brokenAt: number | undefined;
    readonly executions: number;
    readonly options: LayersOptions;
  },
): Promise<Counterexample<State, Op>> {
  const { server, service, mutant, brokenAt, executions, options } = found;
  const { scenario, schedule, trace } = execution;
  const preemptions = preemptionCount(trace);
  return {
    version: 1,
    service: service.name,
    mutant,
    control: options.control,
    seed: options.seed,
    execution: executions - 1,
    scenario,
    schedule,
    trace,
    violations,
    ...(brokenAt !== undefined && { brokenAt }),
    preemptions,
    shrunk: { executions: 0, operations: operationCount(scenario), preemptions, minimal: true },
    versions: { heddle: version, postgres: server.version },
    hashes: await hashSources(service.sources),
  };
}
