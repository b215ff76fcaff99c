import { Command, CommanderError } from "commander";
import { HarnessError } from "../core/error.ts";
import { version } from "../version.ts";
import { EXIT, exitCodeOf, withExitGuard } from "./exit.ts";
import { addMutationCommands } from "./mutation-commands.ts";
import { guardOutput, print, withOwnOutput } from "./output.ts";

/** Adds arguments, options and the action to a command. The action passes on its exit code. */
type AddTo = (command: Command, finished: (exitCode: number) => void) => void;

/** A command's usage, its description, and its code, which is loaded only if it is called. */
type Entry = readonly [usage: string, description: string, load: () => Promise<AddTo>];

export const COMMANDS: readonly Entry[] = [
  [
    "verify [options] [service]",
    "execute generated scenarios under controlled interleavings, and check each execution",
    async () => (await import("./verify.ts")).addVerify,
  ],
  [
    "run [options] <file>",
    "the same as verify, for the path of a scenario or of a service definition",
    async () => (await import("./verify.ts")).addRun,
  ],
  [
    "replay [options] <file|token>",
    "execute a counterexample again, and compare the result",
    async () => (await import("./replay.ts")).addReplay,
  ],
  [
    "regressions [options] [service]",
    "list the stored counterexamples, which every campaign executes first",
    async () => (await import("./regressions.ts")).addRegressions,
  ],
  [
    "accept [options] <file|token>",
    "let a known violation fail no run until a date",
    async () => (await import("./accept.ts")).addAccept,
  ],
  [
    "report [options]",
    "write the page of a report again, or merge the reports of shards",
    async () => (await import("./report.ts")).addReport,
  ],
  [
    "spec [options] <file>",
    "run a spec of PostgreSQL's isolationtester, and print the same output",
    async () => (await import("./spec.ts")).addSpec,
  ],
  [
    "attack [options] [name]",
    "send concurrent requests to a deployment, check their effect, and clean up",
    async () => (await import("./attack.ts")).addAttack,
  ],
  [
    "audit [options]",
    "run a database's consistency functions, reading only; safe in production",
    async () => (await import("./audit.ts")).addAudit,
  ],
  [
    "proxy [options]",
    "hold each statement for a controller in another process, in any language",
    async () => (await import("./proxy.ts")).addProxy,
  ],
  [
    "doctor [options] [service]",
    "examine the environment, and whether Heddle can control the service",
    async () => (await import("./doctor.ts")).addDoctor,
  ],
  [
    "record [options] -- <command...>",
    "run a command, such as a test suite, and write the requests that a service answers meanwhile",
    async () => (await import("./record.ts")).addRecord,
  ],
  [
    "init [options] [folder]",
    "write a definition of the service in a folder, or a scenario to start from; and a CI workflow",
    async () => (await import("./init/init.ts")).addInit,
  ],
  [
    "verify-evidence [options] [file]",
    "compare a campaign's reports and sources with its evidence.json, byte by byte",
    async () => (await import("./verify-evidence.ts")).addVerifyEvidence,
  ],
];

/** The command line's program, with the options of those commands that `argv` names. */
async function programFor(
  argv: readonly string[],
  finished: (exitCode: number) => void,
): Promise<Command> {
  const heddle = new Command("heddle")
    .description(
      "Verifies services on PostgreSQL under concurrency: Heddle decides which database statement runs next.",
    )
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: print })
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
    .showHelpAfterError("(see heddle --help, or heddle COMMAND --help)");
  for (const [usage, description, load] of COMMANDS) {
    const [name = "", ...rest] = usage.split(" ");
    const command = heddle.command(name).description(description).usage(rest.join(" "));
    // The first word is the command, or `help`.
    if (argv.slice(0, 2).includes(name)) (await load())(command, finished);
  }
  addMutationCommands(heddle, finished);
  return heddle;
}

/**
 * Runs one command line, without `node` and the script.
 *
 * @returns the exit code; see `EXIT`
 */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.pass;
  const finished = (code: number) => {
    exitCode = code;
  };
  const unguard = guardOutput();
  try {
    const heddle = await programFor(argv, finished);
    await withExitGuard(() => withOwnOutput(() => heddle.parseAsync(argv, { from: "user" })));
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.pass : EXIT.usage;
    process.stderr.write(`${describe(error)}\n`);
    return exitCodeOf(error);
  } finally {
    unguard();
  }
}

/** One sentence for a HarnessError; the stack of anything else, which is a bug in Heddle. */
function describe(error: unknown): string {
  if (error instanceof HarnessError) return `heddle: ${error.message} [${error.code}]`;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `heddle: a bug in Heddle; please report it:\n${text}`;
}
