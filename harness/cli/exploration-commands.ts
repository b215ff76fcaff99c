import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { CHECKERS } from "../explorer/checkers.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { strategies } from "../scheduler/strategies.ts";
import { faultsOption, invariantOption, invariantsOption } from "./campaign-options.ts";
import {
  checkerNames,
  clientBounds,
  durationMs,
  gateLevels,
  isolationNamed,
  positiveNumber,
  preemptionBound,
  seedOrCommit,
  shardOf,
  strategyNamed,
} from "./options.ts";
import { POSTGRES, REUSE, SEED, shrinkTime, stepTimeout } from "./server-options.ts";
import type { VerifyCommandOptions } from "./verify.ts";

const strategyHelp = strategies(DEFAULTS)
  .map(({ name, description }) => `${name}: ${description}`)
  .join("; ");

/** A scenario has its own clients, is the only one, and has no seeded bugs. */
export const OF_MODELS = [
  "--clients",
  "--pairs",
  "--mutant",
  "--scenarios",
  "--shard",
  "--workers",
];

/** `verify`, which is given back, and `run`. */
export function addExplorationCommands(
  heddle: Command,
  finished: (exitCode: number) => void,
): Command {
  const verify = heddle
    .command("verify")
    .description("run generated scenarios under controlled interleavings, and checker each")
    .argument("[model]", "a folder in models/, or the path of a model's file", "booking")
    .option("--seed <number>", `${SEED}; or from-commit`, seedOrCommit)
    .option(
      "--runs <number>",
      `how many executions (default: ${DEFAULTS.runs}, without --time)`,
      positiveNumber,
    )
    .option(
      "--time <duration>",
      "how long to explore, such as 90s or 10m; with --runs, at most",
      durationMs,
    )
    .option("--scenarios <number>", "how many scenarios, instead of executions", positiveNumber)
    .option("--shard <number/of>", "only these of the --scenarios or --pairs, such as 2/4", shardOf)
    .option("--fail-fast", "end at the first violation (the default)", true)
    .option("--no-fail-fast", "go on after a violation, and report the first of each rule")
    .addOption(
      new Option("--clients <range>", "how many concurrent clients")
        .argParser(clientBounds)
        .default(DEFAULTS.bounds, "2-4"),
    )
    .addOption(
      new Option("--strategy <name>", strategyHelp)
        .argParser(strategyNamed)
        .default(DEFAULTS.strategy.name),
    )
    .addOption(
      new Option("--pairs", "every pair of the model's commands instead of generated ones").implies(
        {
          strategy: DEFAULTS.pairStrategy.name,
        },
      ),
    )
    .addOption(
      new Option("--preemptions <number>", "the most that a search makes, or all")
        .argParser(preemptionBound)
        .default(DEFAULTS.preemptions),
    )
    .option(
      "--no-reduction",
      "with --preemptions all, also execute interleavings that come to the same as others",
    )
    .option("--workers <number>", "how many processes explore", positiveNumber, DEFAULTS.workers)
    .option("--check-determinism", "execute each schedule twice, and compare what is seen")
    .addOption(faultsOption())
    .addOption(invariantsOption())
    .addOption(invariantOption())
    .addOption(
      new Option("--gates <levels>", "how deep control goes: statement, routine, row")
        .argParser(gateLevels)
        .default(DEFAULTS.control.gates, DEFAULTS.control.gates.join(",")),
    )
    .addOption(
      new Option("--isolation <level>", "of transactions that do not say their own")
        .argParser(isolationNamed)
        .default(DEFAULTS.control.isolation, "read-committed"),
    )
    .addOption(
      new Option("--checkers <names>", `those that checker: ${CHECKERS.join(", ")}`)
        .argParser(checkerNames)
        .default(CHECKERS, "all"),
    )
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--mutant <name>", "plant one of the model's bugs, to see it caught")
    .option("--report <folder>", "where report.json and report.html go", "reports")
    .option("--json", "print report.json instead of the summary")
    .addOption(stepTimeout())
    .addOption(shrinkTime())
    .action(async (model: string, options: VerifyCommandOptions) => {
      const { loadService, locateService } = await import("../loading/load-service.ts");
      const { verifyCommand } = await import("./verify.ts");
      finished(await verifyCommand(await loadService(model), locateService(model), options));
    });

  const run = heddle
    .command("run")
    .description("search the interleavings of a scenario file, and checker each")
    .argument("<file>", "a .ts, .js or .mjs file with a defineScenario(…)")
    .action(async (file: string, options: VerifyCommandOptions) => {
      const { loadScenario } = await import("../loading/load-service.ts");
      const { verifyCommand } = await import("./verify.ts");
      finished(await verifyCommand(await loadScenario(file), resolve(file), options));
    });
  for (const option of verify.options) {
    if (!OF_MODELS.includes(option.long ?? "")) run.addOption(option);
  }
  return verify;
}
