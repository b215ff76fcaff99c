import { readFile } from "node:fs/promises";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { faultsIn } from "../core/schedule.ts";
import { decodeCounterexample } from "../explorer/counterexample-file.ts";
import { type Recorded, type Replayed, replay } from "../explorer/replay.ts";
import { hashSources } from "../explorer/sources.ts";
import { decodeToken } from "../explorer/token.ts";
import { mutantNamed } from "../mutation/derivation.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { listed } from "../reporters/counted.ts";
import { counterexampleText } from "../reporters/text.ts";
import { loadService } from "../service/load-service.ts";
import { type AppliedMutant, openExecutor, setupOf } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { withInvariants } from "./sql-files.ts";

export interface ReplayOptions {
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly model?: string;
  readonly repeat: number;
  readonly invariant?: readonly string[];
  readonly json?: boolean;
  /** Stop at each step. */
  readonly step?: boolean;
  /** Likewise, with psql at hand. */
  readonly psql?: boolean;
  /** A folder for what reproduces it without Heddle. */
  readonly export?: string;
  readonly stepTimeout: number;
}

/** How often, in all, a replay that met another order of woken sessions is tried again. */
const MOST_RETRIES = 20;

type Source = Pick<Counterexample, "service" | "mutant" | "control" | "scenario" | "schedule"> &
  Partial<Counterexample>;

/** `heddle replay`: executes a counterexample again, and says whether the same was seen. */
export async function replayCommand(source: string, options: ReplayOptions): Promise<number> {
  const recorded = await read(source);
  const faults = faultsIn(recorded.schedule);
  const starting = startServer(options.postgres, {
    reuse: options.reuse === true,
    faults: faults.includes("crash"),
  });
  const service = await whileStarting(starting, prepared(recorded, options));
  const walk = await walkThrough(recorded, options);
  const interrupted = interruption();
  const server = await starting;
  try {
    const { mutant: name } = recorded;
    const mutant = name === null ? undefined : await mutantNamed(server, service, name);
    const executor = await openExecutor(server, service, mutant, {
      control: recorded.control,
      faults,
      stepTimeoutMs: options.stepTimeout,
      signal: interrupted.signal,
      ...(walk && { pause: (paused) => walk.at(paused) }),
    });
    try {
      const results: Replayed[] = [];
      let retries = 0;
      let expected: Recorded = recorded;
      while (results.length < options.repeat && !interrupted.signal.aborted) {
        const result = await replay(executor, service, expected);
        // Where Postgres decides who of several woken sessions goes first, it may decide otherwise.
        if (result.diverged !== undefined && !executor.ordersWakes && retries < MOST_RETRIES) {
          retries++;
          continue;
        }
        results.push(result);
        // A token does not say what is to be seen; so the first replay says it for the others.
        const { trace } = result.execution;
        expected = { trace, violations: result.violations, ...expected };
      }
      const [first] = results;
      if (options.export !== undefined && first !== undefined) {
        await exportCommand(server, service, { recorded, mutant }, first, options.export, options);
      }
      return report(source, recorded, results, retries, options);
    } finally {
      await executor.close();
    }
  } finally {
    await walk?.close();
    await server.stop();
    interrupted.end();
  }
}

/** What is replayed, and on what. */
async function prepared(recorded: Source, { model, invariant = [] }: ReplayOptions) {
  const service = await withInvariants(await loadService(model ?? recorded.service), invariant);
  await warnOfChanges(recorded, service);
  return service;
}

/** A server takes its time to start, and mostly waits. If the work fails, it is stopped again. */
async function whileStarting<T>(starting: Promise<Server>, work: Promise<T>): Promise<T> {
  const started = starting.catch(() => undefined);
  try {
    return await work;
  } catch (error) {
    await (await started)?.stop();
    throw error;
  }
}

async function walkThrough({ scenario }: Source, { step, psql }: ReplayOptions) {
  if (!step && !psql) return undefined;
  const { StepThrough } = await import("./step-through.ts");
  return new StepThrough(scenario.clients.length, psql === true);
}

/** What was seen again is written down for those without Heddle; a replay that diverged is not. */
async function exportCommand(
  server: Server,
  service: Service,
  { recorded, mutant }: { readonly recorded: Source; readonly mutant: AppliedMutant | undefined },
  { execution, violations, diverged }: Replayed,
  folder: string,
  { stepTimeout: stepTimeoutMs }: ReplayOptions,
): Promise<void> {
  if (diverged !== undefined || violations.length === 0) {
    process.stderr.write("not exported: the replay did not see the violation\n");
    return;
  }
  const options = { stepTimeoutMs, signal: undefined };
  const { exportReproduction } = await import("../isolationtester/export.ts");
  const reproduction = await exportReproduction(
    {
      server,
      service,
      setup: setupOf(service, mutant),
      open: (other) => openExecutor(server, service, mutant, { control: other, ...options }),
      found: { ...recorded, violations },
      execution,
    },
    folder,
  );
  const said =
    typeof reproduction === "string"
      ? `not exported: ${reproduction}`
      : `exported to ${folder}: README.md says how to see it with psql, reproduction.spec is for isolationtester`;
  process.stderr.write(`${said}\n`);
}

function report(
  source: string,
  recorded: Source,
  results: readonly Replayed[],
  retries: number,
  { json }: ReplayOptions,
): number {
  const diverged = results.filter((result) => result.diverged !== undefined);
  const [first] = diverged.length > 0 ? diverged : results;
  if (first === undefined) throw new HarnessError("INTERRUPTED", "interrupted before the replay");
  const outcome = {
    replays: results.length,
    identical: results.length - diverged.length,
    retries,
    diverged: first.diverged ?? null,
    violations: first.violations,
  };
  if (json) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  else {
    if (isComplete(recorded)) {
      const view = {
        colour: process.stdout.isTTY && process.stdout.hasColors(),
        folder: ".",
        replay: source,
      };
      process.stdout.write(`${counterexampleText(recorded, view)}\n`);
    }
    process.stdout.write(`${sentence(outcome)}\n`);
  }
  if (diverged.length > 0) return EXIT.diverged;
  return first.violations.length > 0 ? EXIT.violation : EXIT.pass;
}

function sentence(outcome: {
  replays: number;
  identical: number;
  retries: number;
  diverged: string | null;
  violations: readonly { readonly name: string }[];
}): string {
  const { replays, identical, retries, diverged, violations } = outcome;
  const again = retries === 0 ? "" : `, after ${retries} that met another order of woken sessions`;
  const count = `${identical} of ${replays} identical${again}`;
  if (diverged !== null) return `diverged: ${count}; ${diverged}`;
  const names = violations.map(({ name }) => name).join(", ");
  const what = names === "" ? "no violation" : `violated: ${names}`;
  return `replayed: ${count}; ${what}`;
}

function isComplete(source: Source): source is Counterexample {
  return source.trace !== undefined && source.violations !== undefined;
}

async function read(source: string): Promise<Source> {
  if (/^h\d+\./.test(source)) return decodeToken(source);
  const text = await readFile(source, "utf8").catch((cause: unknown) => {
    throw new HarnessError(
      "USAGE",
      `the replay file ${source} cannot be read: give the path of one, or a token (h1.…)`,
      { cause },
    );
  });
  return decodeCounterexample(text);
}

/** A changed schema is no error: whether the replay still fits is what it is for. */
async function warnOfChanges({ hashes }: Source, service: Service): Promise<void> {
  if (hashes === undefined) return;
  const now = await hashSources(service.sources);
  const changed = Object.keys(hashes).filter((name) => hashes[name] !== now[name]);
  if (changed.length === 0) return;
  process.stderr.write(`changed since it was found: ${listed(changed)}\n`);
}
