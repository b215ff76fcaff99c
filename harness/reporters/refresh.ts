import { refreshEvidence } from "./evidence-files.ts";
import { readCampaign } from "./read-campaign.ts";
import { writeHtml } from "./write.ts";

/**
 * Makes the page of the campaign whose report is in a folder anew, with what lies beside it now, and
 * its evidence. Says whether there is such a report.
 *
 * @throws HarnessError `USAGE` when the report is damaged, or cannot be written
 */
export async function refreshReport(folder: string): Promise<boolean> {
  const campaign = await readCampaign(folder);
  if (campaign === undefined) return false;
  await refreshEvidence(folder, await writeHtml(folder, campaign));
  return true;
}
