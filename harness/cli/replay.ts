import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { faultsIn, hasFreeSteps } from "../core/schedule.ts";
import type { VolatileValue } from "../core/volatile-values.ts";
import { installFreezing } from "../execution/frozen-globals.ts";
import { decodeCounterexample } from "../explorer/counterexample-file.ts";
import { withProfile } from "../explorer/profiled-service.ts";
import { hashSources } from "../explorer/provenance.ts";
import { type RecordedExecution, type Replayed, replay } from "../explorer/replay.ts";
import { decodeToken } from "../explorer/token.ts";
import { mutantNamed } from "../mutation/derivation.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { shortList } from "../reporters/format-values.ts";
import { counterexampleText } from "../reporters/text.ts";
import { type AppliedMutant, openExecutor, setupOf } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { EXIT, interruption } from "./exit.ts";
import {
  addHiddenAlias,
  invariantFiles,
  POSTGRES,
  positiveNumber,
  REUSE,
  SERVICE,
  stepTimeout,
} from "./options.ts";
import { print } from "./output.ts";
import { loadRecordedService } from "./project.ts";
import { withInvariants } from "./sql-files.ts";
import { requireFolder } from "./writable.ts";

interface Options {
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly service?: string;
  readonly repeat: number;
  readonly invariant?: readonly string[];
  readonly json?: boolean;
  /** Stop at each step. */
  readonly step?: boolean;
  /** Stop at each step, and offer psql. */
  readonly psql?: boolean;
  /** A folder for a reproduction without Heddle. */
  readonly export?: string;
  /** Start the service for each replay. */
  readonly fresh?: boolean;
  readonly stepTimeout: number;
}

/** `heddle replay`: executes a counterexample again, and compares the result. */
export function addReplay(command: Command, finished: (exitCode: number) => void): void {
  command
    .argument("<file|token>", "a replay file, or a token (h2.…)")
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--service <name>", `${SERVICE}; needed if the name in the counterexample is not found`)
    .addOption(invariantFiles())
    .option("--repeat <number>", "the number of replays", positiveNumber, 1)
    .option("--export <folder>", "write a reproduction without Heddle: psql scripts, and a spec")
    .option("--fresh", "start the service, and load the clients' module, for each replay")
    .option("--step", "stop after each step, and show the clients and the changed rows")
    .option("--psql", "as --step, and open psql on the paused database on request")
    .option("--json", "print the outcome as JSON")
    .addOption(stepTimeout())
    .action(async (source: string, options: Options) => {
      finished(await runCommand(source, options));
    });
  addHiddenAlias(command, "--model <name>", "--service");
}

/** How many replays in all may be repeated because they differ by chance. */
const MOST_RETRIES = 20;

/** A counterexample from a file is whole; one from a token has no trace and no violations. */
type Source = Pick<Counterexample, "service" | "mutant" | "control" | "scenario" | "schedule"> &
  Partial<Counterexample>;

async function runCommand(source: string, options: Options): Promise<number> {
  if (options.export !== undefined) await requireFolder(options.export, "--export");
  const recorded = await read(source);
  const faults = faultsIn(recorded.schedule);
  const starting = startServer(options.postgres, {
    reuse: options.reuse === true,
    faults: faults.includes("crash"),
  });
  const loaded = await whileStarting(starting, prepareService(recorded, options));
  const walk = await walkThrough(recorded, loaded, options);
  const interrupted = interruption();
  const server = await starting;
  try {
    if (options.export !== undefined) {
      (await import("../isolationtester/export.ts")).requireExportRights(server);
    }
    const { mutant: name } = recorded;
    const mutant = name === null ? undefined : await mutantNamed(server, loaded, name);
    const control: Control = {
      ...recorded.control,
      ...(options.fresh === true && { fresh: true }),
    };
    const limits = { stepTimeoutMs: options.stepTimeout, signal: interrupted.signal };
    const { service } = await withProfile(server, loaded, mutant, {
      ...limits,
      control,
      pairs: false,
    });
    const executor = await openExecutor(server, service, mutant, {
      ...limits,
      control,
      faults,
      ...(walk && { pause: (paused) => walk.at(paused) }),
    });
    try {
      const results: Replayed[] = [];
      let retries = 0;
      let expected: RecordedExecution = recorded;
      while (results.length < options.repeat && !interrupted.signal.aborted) {
        const result = await replay(executor, service, expected);
        // Where Postgres decides the wake-up order of several backends, or what steps that run at the
        // same time lead to, the execution may differ.
        const isChance = !executor.ordersWakes || hasFreeSteps(recorded.schedule);
        if (result.diverged !== undefined && isChance && retries < MOST_RETRIES) {
          retries++;
          continue;
        }
        results.push(result);
        // A token has no trace, so the later replays are compared with the first one.
        const { execution, violations, volatile } = result;
        expected = { trace: execution.trace, violations, ...expected, volatile };
      }
      const [first] = results;
      if (options.export !== undefined && first !== undefined) {
        await exportReplay(server, service, { recorded, mutant }, first, options.export, options);
      }
      return printOutcome(source, recorded, results, retries, options);
    } finally {
      await executor.close();
    }
  } finally {
    await walk?.close();
    await server.stop();
    interrupted.end();
  }
}

async function prepareService(recorded: Source, { service: given, invariant = [] }: Options) {
  if (recorded.control.freeze !== undefined) installFreezing();
  const loaded = await loadRecordedService(recorded.service, given);
  const service = await withInvariants(loaded, invariant);
  await warnOfChanges(recorded, service);
  return service;
}

/** Does the work while the server starts. If the work fails, the server is stopped. */
async function whileStarting<T>(starting: Promise<Server>, work: Promise<T>): Promise<T> {
  const started = starting.catch(() => undefined);
  try {
    return await work;
  } catch (error) {
    await (await started)?.stop();
    throw error;
  }
}

async function walkThrough(
  { scenario }: Source,
  { clientNames }: Service,
  { step, psql }: Options,
) {
  if (!step && !psql) return undefined;
  const { StepThrough } = await import("./step-through.ts");
  return new StepThrough(scenario.clients.length, clientNames, psql === true);
}

/** Writes the reproduction of a replay that saw the violation; a diverged one has none. */
async function exportReplay(
  server: Server,
  service: Service,
  { recorded, mutant }: { readonly recorded: Source; readonly mutant: AppliedMutant | undefined },
  { execution, violations, diverged }: Replayed,
  folder: string,
  { stepTimeout: stepTimeoutMs }: Options,
): Promise<void> {
  if (diverged !== undefined || violations.length === 0) {
    process.stderr.write("not exported: the replay did not see the violation\n");
    return;
  }
  if (recorded.before !== undefined) {
    process.stderr.write(
      "not exported: the violation takes what earlier executions leave in memory, which no SQL shows\n",
    );
    return;
  }
  const options = { stepTimeoutMs, signal: undefined };
  const { exportReproduction } = await import("../isolationtester/export.ts");
  const { searchWithStatementGates } = await import("../explorer/statement-gate-search.ts");
  const counterexample = { ...recorded, violations };
  const open = (control: Control) => openExecutor(server, service, mutant, { control, ...options });
  const reproduction = await exportReproduction(
    {
      server,
      setup: setupOf(service, mutant),
      counterexample,
      execution,
      searchStatements: () =>
        searchWithStatementGates(open, service, counterexample, execution.scenario),
    },
    folder,
  );
  process.stderr.write(
    typeof reproduction === "string"
      ? `not exported: ${reproduction}\n`
      : `exported to ${folder}: README.md explains the psql scripts, reproduction.spec is for isolationtester\n`,
  );
}

function printOutcome(
  source: string,
  recorded: Source,
  results: readonly Replayed[],
  retries: number,
  { json }: Options,
): number {
  const diverged = results.filter((result) => result.diverged !== undefined);
  const [first] = diverged.length > 0 ? diverged : results;
  if (first === undefined) throw new HarnessError("INTERRUPTED", "interrupted before the replay");
  const outcome = {
    replays: results.length,
    identical: results.length - diverged.length,
    retries,
    volatile: results.at(-1)?.volatile ?? [],
    diverged: first.diverged ?? null,
    violations: first.violations,
  };
  if (json) print(`${JSON.stringify(outcome, null, 2)}\n`);
  else {
    if (isComplete(recorded)) {
      const view = {
        colour: process.stdout.isTTY && process.stdout.hasColors(),
        folder: ".",
        replay: source,
      };
      print(`${counterexampleText(recorded, view)}\n`);
    }
    print(`${sentence(outcome)}\n`);
  }
  if (diverged.length > 0) return EXIT.diverged;
  return first.violations.length > 0 ? EXIT.violation : EXIT.pass;
}

function sentence(outcome: {
  replays: number;
  identical: number;
  retries: number;
  volatile: readonly VolatileValue[];
  diverged: string | null;
  violations: readonly { readonly name: string }[];
}): string {
  const { replays, identical, retries, volatile, diverged, violations } = outcome;
  const retried = retries === 0 ? "" : `, after ${retries} that took another course`;
  const names = violations.map(({ name }) => name).join(", ");
  const same = names === "" ? "the same steps" : "the same steps and the same violation";
  const count = `${identical} of ${replays}: ${same}${retried}`;
  if (diverged !== null) return `diverged: ${count}; ${diverged}`;
  const differing = volatile.length === 1 ? "1 value differs" : `${volatile.length} values differ`;
  const byNature = volatile.length === 0 ? "" : `; ${differing} by nature`;
  return `replayed: ${count}${byNature}; ${names === "" ? "no violation" : `violated: ${names}`}`;
}

function isComplete(source: Source): source is Counterexample {
  return source.trace !== undefined && source.violations !== undefined;
}

async function read(source: string): Promise<Source> {
  if (/^h\d+\./.test(source)) return decodeToken(source);
  const text = await readFile(source, "utf8").catch((cause: unknown) => {
    throw new HarnessError(
      "USAGE",
      `the replay file ${source} cannot be read: give the path of a replay file, or a token (h2.…)`,
      { cause },
    );
  });
  if (isRegression(text)) {
    throw new HarnessError(
      "USAGE",
      `${source} is a stored regression: execute it with npx heddle regressions FILE --replay, where FILE is its service or scenario`,
    );
  }
  return decodeCounterexample(text);
}

function isRegression(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return value instanceof Object && "heddle" in value && value.heddle === "regression";
  } catch {
    return false;
  }
}

/** Changed sources are no error: the replay shows whether the counterexample still fits. */
async function warnOfChanges({ hashes }: Source, service: Service): Promise<void> {
  if (hashes === undefined) return;
  const current = await hashSources(service.sources);
  const changed = Object.keys(hashes).filter((name) => hashes[name] !== current[name]);
  if (changed.length === 0) return;
  process.stderr.write(`changed since the counterexample was found: ${shortList(changed)}\n`);
}
