import type { Command } from "commander";
import type { AttackCommandOptions } from "./attack.ts";
import { durationMs, positiveNumber } from "./options.ts";

const FIVE_MINUTES = 300_000;

/** Adds `heddle attack`. Its code is loaded when it is called. */
export function addAttackCommand(heddle: Command, finished: (exitCode: number) => void): void {
  heddle
    .command("attack")
    .description("attack a deployment of the service, as anybody could, and clean up after it")
    .argument("<name>", "an attack of the model's, such as sc1: several book one slot at once")
    .option("--target-url <url>", "where the service is", "http://localhost:3000")
    .option("--database-url <url>", "its database, to call functions past the service as well")
    .option("--seed <text>", "what is random derives from it", "sc1-test")
    .option("--iterations <number>", "how many rounds", positiveNumber, 100)
    .option("--concurrency <number>", "how many requests at once", positiveNumber, 8)
    .option("--time <duration>", "how long it may take", durationMs, FIVE_MINUTES)
    .option("--i-own-this-host <name>", "needed for any host but this machine")
    .option("--model <name>", "a folder in models/, or the path of a model's file", "booking")
    .option("--report <folder>", "where the reports go", "reports")
    .option("--json", "print report.json instead of the summary")
    .action(async (name: string, options: AttackCommandOptions) => {
      const { attackCommand } = await import("./attack.ts");
      finished(await attackCommand(name, options));
    });
}
