import { type Command, Option } from "commander";
import { DEFAULTS } from "../defaults.ts";
import type { LayersCommandOptions } from "./layers.ts";
import { gateLevels, isolationNamed, preemptionBound } from "./options.ts";
import { POSTGRES, REUSE, stepTimeout } from "./server-options.ts";

/** The commands that change a service's schema to see who notices. */
export function addMutationCommands(heddle: Command, finished: (exitCode: number) => void): void {
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
