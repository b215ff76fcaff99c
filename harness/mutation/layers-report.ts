import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { Provenance } from "../explorer/campaign.ts";

import type { Protection, ServicePromise } from "../service/service.ts";
/** A promise without some of its protections. */
export interface LayerCase {
  /** Their names; none: the schema as it is. */
  readonly without: readonly string[];
  /** `holds`: in every interleaving within the bound, of all of the promise's pairs. */
  readonly outcome: "holds" | "breaks" | "unknown";
  /** Why it is unknown. */
  readonly reason: string | null;
  readonly executions: number;
  /** How it breaks. */
  readonly counterexample: Counterexample | null;
}

export interface PromiseLayers extends ServicePromise {
  /** As it is; without each protection alone, each two of them, all but one, and all. */
  readonly cases: readonly LayerCase[];
}

/** Which protections of a schema would catch what if others failed. */
export interface LayersOfDefence extends Provenance {
  readonly service: string;
  readonly control: Control;
  /** The most preemptions of the interleavings that were executed. */
  readonly preemptions: number;
  readonly promises: readonly PromiseLayers[];
  readonly executions: number;
  readonly elapsedMs: number;
}

type Outcome = Pick<LayerCase, "without" | "outcome">;

/** The smallest sets of protections without which a promise breaks: none has another as a part. */
export function breaches<Case extends Outcome>({
  cases,
}: {
  readonly cases: readonly Case[];
}): readonly Case[] {
  const breaking = cases.filter(({ outcome }) => outcome === "breaks");
  return breaking.filter(
    ({ without }) =>
      !breaking.some(
        (other) => other.without.length < without.length && isPart(other.without, without),
      ),
  );
}

/** What the cases come to, in sentences for an auditor. */
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
  const open = cases.filter((it) => it.outcome === "unknown").length;
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
        (set) => `Without ${set.length < names.length ? inWords(set) : "all of them"} it breaks.`,
      ),
    ...(open > 0 ? [`${open} of ${cases.length} cases could not be decided.`] : []),
  ];
}

const isPart = (part: readonly string[], whole: readonly string[]): boolean =>
  part.every((name) => whole.includes(name));

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && isPart(a, b);

function inWords(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
