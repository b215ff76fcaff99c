import { checkEvidence } from "../reporters/evidence-files.ts";
import { EXIT } from "./exit-code.ts";

/** `heddle verify-evidence`: whether each file is, byte for byte, what the evidence says. */
export async function verifyEvidenceCommand(file: string): Promise<number> {
  const { files, changed, missing } = await checkEvidence(file);
  for (const name of changed) process.stdout.write(`changed: ${name}\n`);
  for (const name of missing) process.stdout.write(`missing: ${name}\n`);
  if (changed.length + missing.length > 0) return EXIT.violation;
  process.stdout.write(`${files} files are as the evidence says\n`);
  return EXIT.pass;
}
