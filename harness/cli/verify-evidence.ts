import type { Command } from "commander";
import { HarnessError } from "../core/error.ts";
import { type RoutineHashes, routineHashes } from "../execution/gated-database.ts";
import { checkEvidence } from "../reporters/evidence.ts";
import { EXIT } from "./exit.ts";
import { print } from "./output.ts";

interface Options {
  /** A database whose routines are compared too. */
  readonly databaseUrl?: string;
}

/** `heddle verify-evidence`: compares each file, byte for byte, with the evidence. */
export function addVerifyEvidence(command: Command, finished: (exitCode: number) => void): void {
  command
    .argument("[file]", "the evidence", "reports/evidence.json")
    .option("--database-url <url>", "a database whose routines are compared as well")
    .action(async (file: string, options: Options) => {
      finished(await runCommand(file, options));
    });
}

async function runCommand(file: string, { databaseUrl }: Options): Promise<number> {
  const current = databaseUrl === undefined ? undefined : await routinesAt(databaseUrl);
  const { files, routines, changed, missing, added } = await checkEvidence(file, current);
  for (const name of changed) print(`changed: ${name}\n`);
  for (const name of missing) print(`missing: ${name}\n`);
  for (const name of added) print(`not in the evidence: ${name}\n`);
  if (changed.length + missing.length + added.length > 0) return EXIT.violation;
  const database = current === undefined ? "" : `, and ${routines} routines of the database`;
  print(`${files} files${database} are as the evidence says\n`);
  return EXIT.pass;
}

async function routinesAt(databaseUrl: string): Promise<RoutineHashes> {
  try {
    return await routineHashes(databaseUrl);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError("USAGE", `the routines of the database cannot be read: ${reason}`, {
      cause,
    });
  }
}
