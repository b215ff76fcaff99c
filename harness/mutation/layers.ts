import type { Command } from "../core/command.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { preemptionCount } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { LayerCase, LayersOfDefence, Promised, PromiseLayers } from "../core/layers.ts";
import { commandCount } from "../core/scenario.ts";
import type { Failing } from "../explorer/explore-scenario.ts";
import { judgesOf } from "../explorer/judge.ts";
import type { Judge } from "../explorer/judgement.ts";
import { hashSources } from "../explorer/sources.ts";
import type { Pair, Subject } from "../explorer/subject.ts";
import type { Server } from "../postgres/provider.ts";
import { version } from "../version.ts";
import type { Derivation } from "./derivation.ts";
import { changesWithout, derivationOf, withoutName } from "./derived-subject.ts";
import { mutated } from "./mutated.ts";
import { provenanceOf } from "./provenance.ts";
import { type SearchOptions, type Stage, search } from "./search.ts";

export interface LayersOptions extends SearchOptions {
  readonly preemptions: number;
  readonly onCase?: (promised: Promised, found: LayerCase) => void;
}

/**
 * Takes the protections of each of a subject's promises away, alone and together, and looks in every
 * interleaving of the promise's pairs whether it still holds. Other rules may be broken meanwhile:
 * only the promise's own count.
 * @throws HarnessError USAGE when the subject has no promises, or MODEL_FAILED when one names a
 * mutant or a pair that there is not.
 */
export async function layersOfDefence<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  options: LayersOptions,
): Promise<LayersOfDefence> {
  const promised = subject.promises ?? [];
  if (promised.length === 0) {
    throw new HarnessError("USAGE", `the model "${subject.name}" has no promises to look at`);
  }
  const began = performance.now();
  const provenance = await provenanceOf(server, subject);
  const derivation = await derivationOf(server, subject);
  const promises: PromiseLayers[] = [];
  for (const one of promised) {
    const known = new Set(judgesOf(subject).flatMap(({ rules }) => rules.map(keyOf)));
    const missing = one.rules.find((rule) => !known.has(keyOf(rule)));
    if (missing !== undefined) throw mistaken(one, `there is no rule ${keyOf(missing)}`);
    const pairs = pairsOf(subject, one);
    const cases: LayerCase[] = [];
    for (const without of setsOf(one.protections.map(({ name }) => name))) {
      const found = await tried(
        server,
        subject,
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
    model: subject.name,
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

function mistaken({ name }: Promised, what: string, cause?: unknown): HarnessError {
  return new HarnessError("MODEL_FAILED", `the promise "${name}" is mistaken: ${what}`, { cause });
}

function pairsOf<State extends Json, C extends Command>(
  subject: Subject<State, C>,
  promised: Promised,
): readonly Pair<State, C>[] {
  const all = subject.pairs?.() ?? [];
  return promised.pairs.map((name) => {
    const pair = all.find((one) => one.name === name);
    if (pair === undefined) throw mistaken(promised, `there is no pair "${name}"`);
    return pair;
  });
}

interface Case<State extends Json, C extends Command> {
  readonly promised: Promised;
  readonly pairs: readonly Pair<State, C>[];
  readonly without: readonly string[];
}

async function tried<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  { promised, pairs, without }: Case<State, C>,
  derivation: Derivation,
  options: LayersOptions,
): Promise<LayerCase> {
  const ddl = ddlOf(promised, without, derivation);
  const changed = { ...mutated(subject, ddl), pairs: () => pairs };
  const judges = judgesOf(subject).flatMap((judge) => keptTo(judge, promised));
  const stages: readonly Stage[] = [{ pairs: true, preemptions: options.preemptions }];
  const { failing, brokenAt, complete, executions, reason } = await search(
    server,
    changed,
    { judges, stages },
    options,
  );
  const counterexample =
    failing === undefined
      ? null
      : await counterexampleOf(failing, {
          ...{ server, subject, brokenAt, executions, options },
          mutant: without.length === 0 ? null : withoutName(promised.name, without),
        });
  const outcome = failing !== undefined ? "breaks" : complete ? "holds" : "unknown";
  return { without, outcome, reason: reason ?? null, executions, counterexample };
}

function ddlOf(promised: Promised, without: readonly string[], derivation: Derivation): string {
  try {
    return derivation.combined(changesWithout(promised, without));
  } catch (cause) {
    throw mistaken(promised, (cause as Error).message, cause);
  }
}

const keyOf = ({ judge, name }: { readonly judge: string; readonly name: string }): string =>
  `${judge}/${name}`;

/** The judge, if it has rules of the promise's, and of what it finds only what breaks those. */
function keptTo<State extends Json, C extends Command>(
  judge: Judge<State, C>,
  { rules }: Promised,
): readonly Judge<State, C>[] {
  const kept = new Set(rules.map(keyOf));
  const own = judge.rules.filter((rule) => kept.has(keyOf(rule)));
  if (own.length === 0) return [];
  return [
    {
      rules: own,
      judge: async (execution, again) => {
        const { violations, undecided } = await judge.judge(execution, again);
        return { violations: violations.filter((it) => kept.has(keyOf(it))), undecided };
      },
    },
  ];
}

/** Nothing smaller is looked for: it is a pair of commands, and of its schedules one with the fewest preemptions. */
async function counterexampleOf<State extends Json, C extends Command>(
  { execution, violations }: Failing<State, C>,
  found: {
    readonly server: Server;
    readonly subject: Subject<State, C>;
    readonly mutant: string | null;
    readonly brokenAt: number | undefined;
    readonly executions: number;
    readonly options: LayersOptions;
  },
): Promise<Counterexample<State, C>> {
  const { server, subject, mutant, brokenAt, executions, options } = found;
  const { scenario, schedule, trace } = execution;
  const preemptions = preemptionCount(trace);
  return {
    version: 1,
    model: subject.name,
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
    shrunk: { executions: 0, commands: commandCount(scenario), preemptions, minimal: true },
    versions: { heddle: version, postgres: server.version },
    hashes: await hashSources(subject.sources),
  };
}
