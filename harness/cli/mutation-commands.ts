import { type Command, Option } from "commander";
import { DEFAULTS } from "../explorer/defaults.ts";
import type { LayersCommandOptions } from "./layers.ts";
import type { MutantsOptions } from "./mutants.ts";
import {
  addHiddenAlias,
  durationMs,
  gates,
  isolation,
  names,
  POSTGRES,
  positiveNumber,
  preemptionBound,
  REUSE,
  redact,
  SEED,
  SERVICE,
  seedNumber,
  shrinkTime,
  stepTimeout,
} from "./options.ts";

/** The commands that verify a service with a change of it or of its schema. */
export function addMutationCommands(heddle: Command, finished: (exitCode: number) => void): void {
  const mutants = heddle
    .command("mutants")
    .description(
      "verify a service with each of its seeded bugs, and report which checker catches each bug",
    )
    .argument("[service]", SERVICE)
    .option("--only <names>", "only these bugs, such as check-then-insert,no-unique-index", names)
    .option(
      "--derived",
      "verify with mutants derived from the schema instead; --only then takes parts of their ids",
    )
    .option("--seed <number>", SEED, seedNumber)
    .option("--runs <number>", "the most executions per bug", positiveNumber, DEFAULTS.runs)
    .option("--time <duration>", "the most time per bug, such as 30s", durationMs)
    .option("--checkers-table", "also verify with each checker alone, to see what each one finds")
    .option("--replays <number>", "how often to replay each counterexample", positiveNumber, 20)
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--report <folder>", "the folder for mutants.json and mutants.html", "reports")
    .addOption(redact())
    .option("--json", "print mutants.json instead of the table")
    .addOption(stepTimeout())
    .addOption(shrinkTime())
    .action(
      async (
        service: string | undefined,
        options: MutantsOptions & { readonly derived?: boolean },
        command: Command,
      ) => {
        if (options.derived) {
          const { derivedMutantsCommand } = await import("./derived-mutants.ts");
          // A time alone asks for as many executions as fit into it.
          const timed = options.time !== undefined;
          const asked = command.getOptionValueSource("runs") !== "default";
          const runs = timed && !asked ? undefined : options.runs;
          return finished(await derivedMutantsCommand(service, { ...options, runs }));
        }
        const { mutantsCommand } = await import("./mutants.ts");
        finished(await mutantsCommand(service, options));
      },
    );
  addHiddenAlias(mutants, "--judges-table", "--checkers-table");

  heddle
    .command("layers")
    .description(
      "remove the protections of each promise, and verify whether the promise still holds",
    )
    .argument("[service]", SERVICE)
    .addOption(
      new Option(
        "--preemptions <number>",
        "the most preemptions of the interleavings that are executed, or all",
      )
        .argParser(preemptionBound)
        .default(DEFAULTS.preemptions),
    )
    .addOption(gates())
    .addOption(isolation())
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--report <folder>", "the folder for layers.json and layers.html", "reports")
    .addOption(redact())
    .option("--json", "print layers.json instead of the matrix")
    .addOption(stepTimeout())
    .action(async (service: string | undefined, options: LayersCommandOptions) => {
      const { layersCommand } = await import("./layers.ts");
      finished(await layersCommand(service, options));
    });
}
