import { setTimeout as delay } from "node:timers/promises";
import { type Command, Option } from "commander";
import { audit } from "../audit/audit.ts";
import type { Audit } from "../audit/audit-report.ts";
import { HarnessError } from "../core/error.ts";
import { atomicWrite } from "../explorer/atomic-write.ts";
import { auditJson, auditJunit, auditPrometheus, auditText } from "../reporters/audit.ts";
import { redactedAudit } from "../reporters/redacted-reports.ts";
import type { Redaction } from "../reporters/redaction.ts";
import { EXIT, interruption } from "./exit.ts";
import { durationMs, names, positiveNumber, redact } from "./options.ts";
import { print } from "./output.ts";
import { requireFile } from "./writable.ts";

interface Options {
  readonly databaseUrl?: string;
  readonly check?: readonly string[];
  readonly details?: boolean;
  readonly rows: number;
  readonly timeout: number;
  readonly watch?: number;
  readonly redact?: Redaction;
  readonly json?: boolean;
  readonly junit?: string;
  readonly prometheus?: string;
}

/** `heddle audit`: runs a database's consistency functions once, or at an interval. */
export function addAudit(command: Command, finished: (exitCode: number) => void): void {
  command
    .option("--database-url <url>", "the database (default: DATABASE_URL)")
    .option(
      "--check <functions>",
      "the functions to run (default: those of this role and of the database's owner that return a table with check_name and status)",
      names,
    )
    .option("--details", "print texts and whole rows, not only ids")
    .option("--rows <number>", "the most rows printed for a failed check", positiveNumber, 10)
    .addOption(
      new Option("--timeout <duration>", "the time limit of each statement")
        .argParser(durationMs)
        .default(30_000, "30s"),
    )
    .option(
      "--watch <interval>",
      "repeat at this interval, such as 60s, until interrupted",
      durationMs,
    )
    .addOption(redact())
    .option("--json", "print JSON, one line for each audit")
    .option("--junit <file>", "write a JUnit file")
    .option("--prometheus <file>", "write metrics for node exporter's textfile collector")
    .action(async (options: Options) => finished(await runCommand(options)));
}

const CODES = { pass: EXIT.pass, fail: EXIT.violation, unknown: EXIT.unknown } as const;

async function runCommand(options: Options): Promise<number> {
  const url = options.databaseUrl ?? process.env["DATABASE_URL"];
  if (url === undefined || url === "") {
    throw new HarnessError(
      "USAGE",
      "no database is given: use --database-url, or set DATABASE_URL",
    );
  }
  if (options.junit !== undefined) await requireFile(options.junit, "--junit");
  if (options.prometheus !== undefined) await requireFile(options.prometheus, "--prometheus");
  if (options.watch === undefined) return CODES[(await auditOnce(url, options)).verdict];
  const interrupted = interruption("finishing the current audit");
  try {
    while (!interrupted.signal.aborted) {
      await auditDespiteOutages(url, options);
      await delay(options.watch, undefined, { signal: interrupted.signal }).catch(() => {});
    }
    return EXIT.interrupted;
  } finally {
    interrupted.end();
  }
}

/** The watch continues while the database is unreachable. */
async function auditDespiteOutages(url: string, options: Options): Promise<void> {
  try {
    await auditOnce(url, options);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.code === "USAGE") throw error;
    process.stderr.write(`heddle: ${error.message}\n`);
  }
}

async function auditOnce(url: string, options: Options): Promise<Audit> {
  const whole = await audit(url, {
    functions: options.check,
    details: options.details === true,
    statementTimeoutMs: options.timeout,
    rows: options.rows,
  });
  const result = redactedAudit(whole, options.redact);
  const colour = process.stdout.isTTY && process.stdout.hasColors();
  if (options.junit !== undefined) await atomicWrite(options.junit, auditJunit(result));
  if (options.prometheus !== undefined) {
    // The collector is another user.
    await atomicWrite(options.prometheus, auditPrometheus(result), "all");
  }
  print(options.json ? auditJson(result) : auditText(result, colour));
  return result;
}
