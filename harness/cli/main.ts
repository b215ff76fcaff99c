import { Command, CommanderError } from "commander";
import { HarnessError } from "../core/error.ts";
import { version } from "../version.ts";
import { addAttackCommand } from "./attack-command.ts";
import { addAuditCommand } from "./audit-command.ts";
import { invariantOption } from "./campaign-options.ts";
import type { DoctorOptions } from "./doctor.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { endingWith } from "./exit-guard.ts";
import { addExplorationCommands, OF_MODELS } from "./exploration-commands.ts";
import { addMutationCommands } from "./mutation-commands.ts";
import { durationMs, positiveNumber } from "./options.ts";
import type { ProxyOptions } from "./proxy.ts";
import type { RegressionsOptions } from "./regressions.ts";
import type { ReplayOptions } from "./replay.ts";
import type { ReportOptions } from "./report.ts";
import { POSTGRES, REUSE, stepTimeout } from "./server-options.ts";
import type { SpecCommandOptions } from "./spec.ts";
import type { VerifyEvidenceOptions } from "./verify-evidence.ts";

/*
 * Each command's code is loaded when it is called: `--help` needs no database driver.
 */
function program(finished: (exitCode: number) => void): Command {
  const heddle = new Command("heddle")
    .description(
      "Decides which database statement runs next, and checks that all is well after it.",
    )
    .version(version)
    .exitOverride()
    .showHelpAfterError("(heddle --help, or heddle COMMAND --help, says more)");

  const verify = addExplorationCommands(heddle, finished);

  heddle
    .command("replay")
    .description("execute a counterexample again, and say whether the same was seen")
    .argument("<file|token>", "a replay file, or a token (h1.…)")
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--model <path>", "where the model is (default: by the name in the file)")
    .addOption(invariantOption())
    .option("--repeat <number>", "how many times", positiveNumber, 1)
    .option("--export <folder>", "write what reproduces it without Heddle: psql scripts, a spec")
    .option("--step", "stop after each step, and show the clients and the rows that changed")
    .option("--psql", "as --step, with psql on the paused database")
    .option("--json", "print the outcome as JSON")
    .addOption(stepTimeout())
    .action(async (source: string, options: ReplayOptions) => {
      const { replayCommand } = await import("./replay.ts");
      finished(await replayCommand(source, options));
    });

  heddle
    .command("proxy")
    .description("hold each statement for a controller of yours, in whatever language")
    .requiredOption("--database-url <url>", "the database behind it")
    .option("--control <where>", "a port (0: any), or the path of a socket", "0")
    .action(async (options: ProxyOptions) => {
      const { proxyCommand } = await import("./proxy.ts");
      finished(await proxyCommand(options));
    });

  const spec = heddle
    .command("spec")
    .description("run a spec of PostgreSQL's isolationtester, and print what that would print")
    .argument("<file>", "a .spec file")
    .option("--expected <file>", "compare with this file, or a variant of it, instead of printing")
    .option("--explore", "search the interleavings of its sessions instead, and checker each")
    .option("--invariant <file...>", "with --explore: SQL that must return no rows", [])
    .option(
      "--step-timeout <duration>",
      "after how long a step is cancelled (default: 300s), or a search given up (default: 10s)",
      durationMs,
    )
    .action(async (file: string, options: SpecCommandOptions) => {
      const { specCommand } = await import("./spec.ts");
      finished(await specCommand(file, options));
    });
  for (const option of verify.options) {
    const own = [...OF_MODELS, "--step-timeout", "--invariant"];
    if (!own.includes(option.long ?? "")) spec.addOption(option);
  }

  heddle
    .command("report")
    .description("make the page of a report anew, or one report out of those of shards")
    .option("--merge <folders...>", "where the shards reported to")
    .option("--report <folder>", "where report.json and report.html go", "reports")
    .option("--json", "print report.json instead of the summary")
    .action(async (options: ReportOptions) => {
      const { reportCommand } = await import("./report.ts");
      finished(await reportCommand(options));
    });

  heddle
    .command("regressions")
    .description("list what once broke a rule, and is executed first from then on")
    .argument("[model]", "a model's name, or the path of its file", "booking")
    .option("--replay", "execute each, and say whether it fails, is fixed, or no longer fits")
    .option("--prune", "as --replay, and take out those that do not fail")
    .option("--postgres <which>", POSTGRES, "auto")
    .addOption(stepTimeout())
    .action(async (model: string, options: RegressionsOptions) => {
      const { regressionsCommand } = await import("./regressions.ts");
      finished(await regressionsCommand(model, options));
    });

  addMutationCommands(heddle, finished);
  addAttackCommand(heddle, finished);
  addAuditCommand(heddle, finished);

  heddle
    .command("doctor")
    .description("say what is available here, and why not; and whether a scenario can be driven")
    .argument("[scenario]", "a scenario file: its clients run once, one after the other")
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--json", "print the findings as JSON")
    .action(async (scenario: string | undefined, options: DoctorOptions) => {
      const { doctorCommand } = await import("./doctor.ts");
      finished(await doctorCommand(scenario, options));
    });

  heddle
    .command("init")
    .description("write a scenario to start from, and a CI step")
    .argument("[folder]", "where", ".")
    .action(async (folder: string) => {
      const { initCommand } = await import("./init.ts");
      finished(await initCommand(folder));
    });

  heddle
    .command("verify-evidence")
    .description("compare a campaign's reports and sources with its evidence.json, byte by byte")
    .argument("[file]", "the evidence", "reports/evidence.json")
    .option("--database-url <url>", "a database whose routines are compared with it too")
    .action(async (file: string, options: VerifyEvidenceOptions) => {
      const { verifyEvidenceCommand } = await import("./verify-evidence.ts");
      finished(await verifyEvidenceCommand(file, options));
    });

  return heddle;
}

/** Runs one command line (without `node` and the script). Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.pass;
  const heddle = program((code) => {
    exitCode = code;
  });
  try {
    await endingWith(() => heddle.parseAsync(argv, { from: "user" }));
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.pass : EXIT.usage;
    process.stderr.write(`${describe(error)}\n`);
    return exitCodeOf(error);
  }
}

/** One sentence for a HarnessError; for a bug in Heddle, all that is known of it. */
function describe(error: unknown): string {
  if (error instanceof HarnessError) return `heddle: ${error.message} [${error.code}]`;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `heddle: a bug in Heddle; please report it:\n${text}`;
}
