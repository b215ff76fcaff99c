import path from "node:path";
import type { Command } from "commander";
import type { RegressionOutcome } from "../explorer/campaign.ts";
import { controlFor } from "../explorer/defaults.ts";
import { withProfile } from "../explorer/profiled-service.ts";
import { RegressionFolder, replayRegressions } from "../explorer/regressions.ts";
import { loadService, locateService } from "../loading/load-service.ts";
import { startServer } from "../postgres/provider.ts";
import { openExecutor } from "../service/open-executor.ts";
import { EXIT, interruption } from "./exit.ts";
import { POSTGRES, SERVICE, stepTimeout } from "./options.ts";
import { print } from "./output.ts";
import { serviceName } from "./project.ts";

interface Options {
  readonly postgres: string;
  readonly replay?: boolean;
  readonly prune?: boolean;
  readonly stepTimeout: number;
}

/** `heddle regressions`: lists a service's stored counterexamples, replays or removes them. */
export function addRegressions(command: Command, finished: (exitCode: number) => void): void {
  command
    .argument("[service]", SERVICE)
    .option("--replay", "execute each, and say whether it fails, is fixed, or is stale")
    .option("--prune", "as --replay, and remove those that do not fail")
    .option("--postgres <which>", POSTGRES, "auto")
    .addOption(stepTimeout())
    .action(async (given: string | undefined, options: Options) => {
      finished(await runCommand(await serviceName(given), options));
    });
}

const OUTCOMES: { readonly [outcome in RegressionOutcome]: string } = {
  fails: "fails",
  fixed: "no longer fails",
  stale: "stale: the service no longer follows its schedule",
};

async function runCommand(
  name: string,
  { postgres, replay, prune, stepTimeout }: Options,
): Promise<number> {
  const loaded = await loadService(name);
  const folder = RegressionFolder.of(locateService(name), loaded.name);
  const stored = await folder.read(loaded.name);
  const relative = (file: string) => path.relative(process.cwd(), file);
  const printLine = (line: string) => print(`${line}\n`);
  if (stored.length === 0) printLine(`no regressions in ${relative(folder.path)}`);
  if (!(replay || prune) || stored.length === 0) {
    for (const { file, regression } of stored)
      printLine(`${relative(file)}: ${regression.violation.message}`);
    return EXIT.pass;
  }
  const interrupted = interruption();
  const server = await startServer(postgres);
  try {
    const limits = { stepTimeoutMs: stepTimeout, signal: interrupted.signal };
    const control = controlFor(loaded);
    const { service } = await withProfile(server, loaded, undefined, {
      ...limits,
      control,
      pairs: false,
    });
    const outcomes = await replayRegressions(stored, service, (control) =>
      openExecutor(server, service, undefined, { ...limits, control }),
    );
    for (const { file, outcome } of outcomes) {
      const removed = prune && outcome !== "fails";
      if (removed) await folder.remove(file);
      printLine(`${relative(file)}: ${OUTCOMES[outcome]}${removed ? "; removed" : ""}`);
    }
    return outcomes.some(({ outcome }) => outcome === "fails") ? EXIT.violation : EXIT.pass;
  } finally {
    await server.stop();
    interrupted.end();
  }
}
