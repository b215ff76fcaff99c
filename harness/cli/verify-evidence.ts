import { HarnessError } from "../core/error.ts";
import { type RoutineHashes, routineHashes } from "../execution/gated-database.ts";
import { checkEvidence } from "../reporters/evidence-files.ts";
import { EXIT } from "./exit-code.ts";

export interface VerifyEvidenceOptions {
  /** Of a database whose routines are compared too. */
  readonly databaseUrl?: string;
}

/** `heddle verify-evidence`: whether each file is, byte for byte, what the evidence says. */
export async function verifyEvidenceCommand(
  file: string,
  { databaseUrl }: VerifyEvidenceOptions,
): Promise<number> {
  const held = databaseUrl === undefined ? undefined : await routinesAt(databaseUrl);
  const { files, routines, changed, missing, added } = await checkEvidence(file, held);
  for (const name of changed) process.stdout.write(`changed: ${name}\n`);
  for (const name of missing) process.stdout.write(`missing: ${name}\n`);
  for (const name of added) process.stdout.write(`not in the evidence: ${name}\n`);
  if (changed.length + missing.length + added.length > 0) return EXIT.violation;
  const and = held === undefined ? "" : `, and ${routines} routines of the database`;
  process.stdout.write(`${files} files${and} are as the evidence says\n`);
  return EXIT.pass;
}

async function routinesAt(databaseUrl: string): Promise<RoutineHashes> {
  try {
    return await routineHashes(databaseUrl);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError("USAGE", `The database cannot be asked for its routines: ${why}`, {
      cause,
    });
  }
}
