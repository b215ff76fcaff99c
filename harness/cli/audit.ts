import { setTimeout as delay } from "node:timers/promises";
import { type AuditOptions, audit } from "../audit/audit.ts";
import type { Audit } from "../audit/audit-report.ts";
import { HarnessError } from "../core/error.ts";
import { atomicWrite } from "../explorer/atomic-write.ts";
import { auditJunit, auditPrometheus, auditText } from "../reporters/audit.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";

export interface AuditCommandOptions {
  readonly databaseUrl?: string;
  readonly check?: readonly string[];
  readonly details?: boolean;
  readonly rows: number;
  readonly timeout: number;
  readonly watch?: number;
  readonly json?: boolean;
  readonly junit?: string;
  readonly prometheus?: string;
}

const CODES = { pass: EXIT.pass, fail: EXIT.violation, unknown: EXIT.unknown } as const;

/** `heddle audit`: once, or again and again until it is interrupted. */
export async function auditCommand(options: AuditCommandOptions): Promise<number> {
  const url = options.databaseUrl ?? process.env["DATABASE_URL"];
  if (url === undefined || url === "") {
    throw new HarnessError("USAGE", "Give --database-url, or set DATABASE_URL.");
  }
  if (options.watch === undefined) return CODES[(await once(url, options)).verdict];
  const interrupted = interruption();
  try {
    while (!interrupted.signal.aborted) {
      await watched(url, options);
      await delay(options.watch, undefined, { signal: interrupted.signal }).catch(() => {});
    }
    return EXIT.interrupted;
  } finally {
    interrupted.end();
  }
}

/** A database that is away for a while must not end the watch over it. */
async function watched(url: string, options: AuditCommandOptions): Promise<void> {
  try {
    await once(url, options);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.code === "USAGE") throw error;
    process.stderr.write(`heddle: ${error.message}\n`);
  }
}

async function once(url: string, options: AuditCommandOptions): Promise<Audit> {
  const given: AuditOptions = {
    functions: options.check,
    details: options.details === true,
    statementTimeoutMs: options.timeout,
    rows: options.rows,
  };
  const found = await audit(url, given);
  const colour = process.stdout.isTTY && process.stdout.hasColors();
  if (options.junit !== undefined) await atomicWrite(options.junit, auditJunit(found));
  if (options.prometheus !== undefined)
    await atomicWrite(options.prometheus, auditPrometheus(found));
  process.stdout.write(
    options.json ? `${JSON.stringify({ version: 1, ...found })}\n` : auditText(found, colour),
  );
  return found;
}
