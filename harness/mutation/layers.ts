import type { RuleName } from "../checkers/checker.ts";
import { checkersOf } from "../checkers/registry.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Provenance } from "../explorer/campaign.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import type { Server } from "../postgres/provider.ts";
import { strategyNamed } from "../scheduler/strategies.ts";
import type { SchemaMutant } from "../service/open-executor.ts";
import type { Pair, Protection, Service, ServicePromise } from "../service/service.ts";
import { changesWithout, type Derivation, derivationOf, withoutName } from "./derivation.ts";
import { mutantCampaign, provenanceOf } from "./mutant-campaign.ts";

/** The result for a promise without some of its protections. */
export interface LayerCase {
  /** The names of the protections that were removed; none: the schema as it is. */
  readonly without: readonly string[];
  /** `holds`: in every interleaving within the bound, of all pairs that the promise names. */
  readonly outcome: "holds" | "breaks" | "unknown";
  /** Why the outcome is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly executions: number;
  /** The shrunk violation; null unless the promise breaks. */
  readonly counterexample: Counterexample | null;
}

/** A promise, and the result without each set of its protections. */
export interface PromiseLayers extends ServicePromise {
  /** With all protections; without each one, each two, all but one, and all of them. */
  readonly cases: readonly LayerCase[];
}

/** Which protections of a schema keep each promise of a service when others are missing. */
export interface LayersOfDefence extends Provenance {
  readonly service: string;
  readonly control: Control;
  /** The most preemptions of the interleavings that were executed. */
  readonly preemptions: number;
  readonly promises: readonly PromiseLayers[];
  readonly executions: number;
  readonly elapsedMs: number;
}

export interface LayersOptions {
  readonly seed: number;
  /** The most preemptions of an interleaving; Infinity: no bound. */
  readonly preemptions: number;
  readonly control: Control;
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onCase?: (promised: ServicePromise, found: LayerCase) => void;
}

/**
 * Removes the protections of each promise, alone and together, and verifies every interleaving of
 * the pairs that the promise names, as `heddle verify --pairs` does. Only violations of the
 * promise's own rules count.
 * @throws HarnessError USAGE when the service has no promises, or SERVICE_FAILED when a promise names
 * a rule, pair or change that does not exist
 */
export async function layersOfDefence<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  options: LayersOptions,
): Promise<LayersOfDefence> {
  const promised = service.promises ?? [];
  if (promised.length === 0) {
    throw new HarnessError("USAGE", `the service "${service.name}" has no promises to look at`);
  }
  const began = performance.now();
  const provenance = await provenanceOf(server, service);
  const derivation = await derivationOf(server, service);
  const promises: PromiseLayers[] = [];
  for (const promise of promised) {
    checkRules(service, promise);
    const pairs = pairsOf(service, promise);
    const cases: LayerCase[] = [];
    for (const without of setsOf(promise.protections.map(({ name }) => name))) {
      const mutant = mutantWithout(promise, without, derivation);
      const found = await caseOf(
        server,
        { ...service, pairs: () => pairs },
        { promise, without, mutant },
        options,
      );
      cases.push(found);
      options.onCase?.(promise, found);
    }
    promises.push({ ...promise, cases });
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

/** The empty set, each name alone, each two, all but one, and all. */
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

function checkRules<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  promised: ServicePromise,
): void {
  const keyOf = ({ checker, name }: RuleName) => `${checker}/${name}`;
  const existing = new Set(checkersOf(service).flatMap(({ rules }) => rules.map(keyOf)));
  const missing = promised.rules.map(keyOf).find((key) => !existing.has(key));
  if (missing !== undefined) throw mistaken(promised, `there is no rule ${missing}`);
}

function pairsOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  promised: ServicePromise,
): readonly Pair<State, Op>[] {
  const all = service.pairs?.() ?? [];
  if (promised.pairs.length === 0) throw mistaken(promised, "it names no pair");
  return promised.pairs.map((name) => {
    const pair = all.find((other) => other.name === name);
    if (pair === undefined) throw mistaken(promised, `there is no pair "${name}"`);
    return pair;
  });
}

function mutantWithout(
  promised: ServicePromise,
  without: readonly string[],
  derivation: Derivation,
): SchemaMutant | undefined {
  try {
    const ddl = derivation.combined(changesWithout(promised, without));
    if (without.length === 0) return undefined;
    return { name: withoutName(promised.name, without), ddl };
  } catch (cause) {
    throw mistaken(promised, (cause as Error).message, cause);
  }
}

async function caseOf<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  {
    promise: { rules },
    without,
    mutant,
  }: {
    readonly promise: ServicePromise;
    readonly without: readonly string[];
    readonly mutant: SchemaMutant | undefined;
  },
  { seed, preemptions, control, stepTimeoutMs, signal }: LayersOptions,
): Promise<LayerCase> {
  const { verdict, reason, executions, counterexample } = await mutantCampaign(
    server,
    service,
    mutant,
    {
      ...{ seed, control, rules, stepTimeoutMs, signal },
      ...{ pairs: true, runs: undefined, timeMs: undefined },
      strategy: strategyNamed("exhaustive", { preemptions }),
      shrinkTimeMs: DEFAULTS.shrinkTimeMs,
    },
  );
  const outcomes = { pass: "holds", fail: "breaks", unknown: "unknown" } as const;
  return { without, outcome: outcomes[verdict], reason, executions, counterexample };
}
type Outcome = Pick<LayerCase, "without" | "outcome">;

/** The minimal sets of protections without which a promise breaks. */
export function breaches<Case extends Outcome>({
  cases,
}: {
  readonly cases: readonly Case[];
}): readonly Case[] {
  const breaking = cases.filter(({ outcome }) => outcome === "breaks");
  return breaking.filter(
    ({ without }) =>
      !breaking.some(
        (other) => other.without.length < without.length && isSubset(other.without, without),
      ),
  );
}

/** The conclusions from all cases of a promise, in sentences. */
export function conclusions({
  protections,
  cases,
}: {
  readonly protections: readonly Protection[];
  readonly cases: readonly Outcome[];
}): readonly string[] {
  const names = protections.map(({ name }) => name);
  const outcome = (without: readonly string[]) =>
    cases.find((it) => sameNames(it.without, without))?.outcome;
  if (outcome([]) === "breaks") return ["It breaks with all of its protections in place."];
  const undecided = cases.filter((it) => it.outcome === "unknown").length;
  const minimal = breaches({ cases }).map(({ without }) => without);
  const alone = minimal.filter((set) => set.length === 1).flat();
  const needless = outcome(names) === "holds" && names.length > 0;
  const suffices = names.filter((name) => outcome(names.filter((it) => it !== name)) === "holds");
  const any = suffices.length === names.length;
  return [
    ...(outcome([]) === "holds" ? ["It holds with all of its protections in place."] : []),
    ...(needless
      ? ["It holds without all of them: within the bound, something else protects it."]
      : []),
    ...(needless || names.length < 2
      ? []
      : any
        ? [`Any one of these ${names.length} layers suffices.`]
        : suffices.map((name) => `By itself ${name} suffices.`)),
    ...alone.map((name) => `Without ${name} it breaks, whatever else is there.`),
    ...minimal
      .filter((set) => set.length > 1)
      .map(
        (set) =>
          `Without ${set.length < names.length ? enumerated(set) : "all of them"} it breaks.`,
      ),
    ...(undecided > 0 ? [`${undecided} of ${cases.length} cases could not be decided.`] : []),
  ];
}

const isSubset = (part: readonly string[], whole: readonly string[]): boolean =>
  part.every((name) => whole.includes(name));

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && isSubset(a, b);

function enumerated(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
