import { type Command, Option } from "commander";
import { DEFAULTS } from "../explorer/defaults.ts";
import type { LayersCommandOptions } from "./layers.ts";
import type { MutantsOptions } from "./mutants.ts";
import {
  durationMs,
  gateLevels,
  isolationNamed,
  names,
  positiveNumber,
  preemptionBound,
  seedNumber,
} from "./options.ts";
import { POSTGRES, REUSE, SEED, shrinkTime, stepTimeout } from "./server-options.ts";

/** The commands that change a service or its schema, to see who notices. */
export function addMutationCommands(heddle: Command, finished: (exitCode: number) => void): void {
  heddle
    .command("mutants")
    .description("plant each of a model's bugs, and say who catches it, and after how long")
    .argument("[model]", "a folder in models/, or the path of a model's file", "booking")
    .option("--only <names>", "some of them, such as check-then-insert,no-unique-index", names)
    .option("--derived", "instead, what derives from the schema; --only: parts of their ids")
    .option("--seed <number>", SEED, seedNumber)
    .option("--runs <number>", "the most executions of each", positiveNumber, DEFAULTS.runs)
    .option("--time <duration>", "the most time for each, such as 30s", durationMs)
    .option(
      "--checkers-table",
      "run each to the end of its budget, to see what each checker finds alone",
    )
    .option("--replays <number>", "how often each counterexample is replayed", positiveNumber, 20)
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--report <folder>", "where mutants.json and mutants.html go", "reports")
    .option("--json", "print mutants.json instead of the table")
    .addOption(stepTimeout())
    .addOption(shrinkTime())
    .action(async (model: string, options: MutantsOptions & { readonly derived?: boolean }) => {
      if (options.derived) {
        const { derivedMutantsCommand } = await import("./derived-mutants.ts");
        return finished(await derivedMutantsCommand(model, options));
      }
      const { mutantsCommand } = await import("./mutants.ts");
      finished(await mutantsCommand(model, options));
    });

  heddle
    .command("layers")
    .description("take the protections of each promise away, and see whether it still holds")
    .argument("[model]", "a model's name, or the path of its file", "booking")
    .addOption(
      new Option(
        "--preemptions <number>",
        "the most in the interleavings that are executed, or all",
      )
        .argParser(preemptionBound)
        .default(DEFAULTS.preemptions),
    )
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
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--report <folder>", "where layers.json and layers.html go", "reports")
    .option("--json", "print layers.json instead of the matrix")
    .addOption(stepTimeout())
    .action(async (model: string, options: LayersCommandOptions) => {
      const { layersCommand } = await import("./layers.ts");
      finished(await layersCommand(model, options));
    });
}
