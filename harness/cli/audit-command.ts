import type { Command } from "commander";
import type { AuditCommandOptions } from "./audit.ts";
import { durationMs, names, positiveNumber } from "./options.ts";

/** Adds `heddle audit`. Its code is loaded when it is called. */
export function addAuditCommand(heddle: Command, finished: (exitCode: number) => void): void {
  heddle
    .command("audit")
    .description("run a database's own consistency functions, reading only; safe on production")
    .option("--database-url <url>", "which database (default: DATABASE_URL)")
    .option(
      "--check <functions>",
      "which functions, such as verify_booking_slot_consistency; default: all that return a table with check_name and status",
      names,
    )
    .option("--details", "show words and whole rows, and not ids alone")
    .option("--rows <number>", "the most rows at fault of each check", positiveNumber, 10)
    .option("--timeout <duration>", "the most time for each statement", durationMs, 30_000)
    .option("--watch <interval>", "again and again, such as 60s, until interrupted", durationMs)
    .option("--json", "print JSON, one line for each audit")
    .option("--junit <file>", "write a JUnit file")
    .option("--prometheus <file>", "write metrics for the textfile collector of node exporter")
    .action(async (options: AuditCommandOptions) => {
      const { auditCommand } = await import("./audit.ts");
      finished(await auditCommand(options));
    });
}
