import path from "node:path";
import { HarnessError } from "../core/error.ts";
import { FILES } from "../reporters/report-files.ts";
import { refreshReport } from "../reporters/write.ts";

/** The page of a campaign in the same folder shows what was found out; if it can, and says so. */
export async function showInReport(folder: string): Promise<void> {
  const page = path.join(folder, FILES.page);
  try {
    if (await refreshReport(folder)) process.stderr.write(`${page} shows it too\n`);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    process.stderr.write(`${page} does not show it: ${error.message}\n`);
  }
}
