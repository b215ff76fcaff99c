import type { Command } from "commander";
import { DEFAULTS } from "../defaults.ts";
import type { MutantsOptions } from "./mutants.ts";
import { durationMs, names, positiveNumber, seedNumber } from "./options.ts";
import { POSTGRES, REUSE, SEED, shrinkTime, stepTimeout } from "./shared-options.ts";

/** Adds `heddle mutants`. Its code is loaded when it is called. */
export function addMutantsCommand(heddle: Command, finished: (exitCode: number) => void): void {
  heddle
    .command("mutants")
    .description("plant each of a model's bugs, and say who catches it, and after how long")
    .argument("[model]", "a folder in models/, or the path of a model's file", "booking")
    .option("--only <names>", "some of them, such as check-then-insert,no-unique-index", names)
    .option("--seed <number>", SEED, seedNumber)
    .option("--runs <number>", "the most executions of each", positiveNumber, DEFAULTS.mutantRuns)
    .option("--time <duration>", "the most time for each, such as 30s", durationMs)
    .option(
      "--judges-table",
      "run each to the end of its budget, to see what each judge finds alone",
    )
    .option("--replays <number>", "how often each counterexample is replayed", positiveNumber, 20)
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--report <folder>", "where mutants.json and mutants.html go", "reports")
    .option("--json", "print mutants.json instead of the table")
    .addOption(stepTimeout())
    .addOption(shrinkTime())
    .action(async (model: string, options: MutantsOptions) => {
      const { mutantsCommand } = await import("./mutants.ts");
      finished(await mutantsCommand(model, options));
    });
}
