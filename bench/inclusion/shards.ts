import { spawn } from "node:child_process";
import { once } from "node:events";
import { HarnessError } from "../../harness/core/error.ts";
import { type InclusionTotals, NO_TOTALS, sumTotals } from "./property.ts";

/**
 * The totals of all parts of the property, each in a process of its own, which prints them as JSON.
 *
 * @param command the arguments of Node, without the shard
 * @throws HarnessError `PROVIDER_FAILED` if a process ends without totals
 */
export async function totalsOfShards(
  count: number,
  command: readonly string[],
): Promise<InclusionTotals> {
  const parts = Array.from({ length: count }, (_, index) =>
    totalsOf([...command, "--shard", `${index}/${count}`]),
  );
  return (await Promise.all(parts)).reduce(sumTotals, NO_TOTALS);
}

async function totalsOf(args: readonly string[]): Promise<InclusionTotals> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [code, signal] = await once(child, "close");
  // Node ends with 1 after an uncaught error, and a process that has found a hole does so too.
  if ((code === 0 || code === 1) && printed !== "") return JSON.parse(printed);
  throw new HarnessError(
    "PROVIDER_FAILED",
    `the process of the shard ${args.at(-1)} ended (${signal ?? `exit code ${code}`}) before its work was done`,
  );
}
