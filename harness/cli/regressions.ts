import path from "node:path";
import type { RegressionOutcome } from "../explorer/campaign-report.ts";
import { RegressionFolder } from "../explorer/regression-folder.ts";
import { replayRegressions } from "../explorer/replay-regressions.ts";
import { loadService, locateService } from "../loading/load-service.ts";
import { startServer } from "../postgres/provider.ts";
import { openExecutor } from "../service/open-executor.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";

export interface RegressionsOptions {
  readonly postgres: string;
  readonly replay?: boolean;
  readonly prune?: boolean;
  readonly stepTimeout: number;
}

const SAID: { readonly [outcome in RegressionOutcome]: string } = {
  fails: "fails",
  fixed: "no longer fails",
  stale: "no longer fits: the service does not go that way any more",
};

/** `heddle regressions`: lists what is kept of a model, executes it, takes out what says nothing. */
export async function regressionsCommand(
  model: string,
  { postgres, replay, prune, stepTimeout }: RegressionsOptions,
): Promise<number> {
  const service = await loadService(model);
  const folder = RegressionFolder.of(locateService(model), service.name);
  const kept = await folder.kept(service.name);
  const shown = (file: string) => path.relative(process.cwd(), file);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  if (kept.length === 0) say(`no regressions in ${shown(folder.path)}`);
  if (!(replay || prune) || kept.length === 0) {
    for (const { file, regression } of kept) say(`${shown(file)}: ${regression.violation.message}`);
    return EXIT.pass;
  }
  const interrupted = interruption();
  const server = await startServer(postgres);
  try {
    const outcomes = await replayRegressions(kept, service, (control) =>
      openExecutor(server, service, undefined, {
        control,
        stepTimeoutMs: stepTimeout,
        signal: interrupted.signal,
      }),
    );
    for (const { file, outcome } of outcomes) {
      const gone = prune && outcome !== "fails";
      if (gone) await folder.remove(file);
      say(`${shown(file)}: ${SAID[outcome]}${gone ? "; taken out" : ""}`);
    }
    return outcomes.some(({ outcome }) => outcome === "fails") ? EXIT.violation : EXIT.pass;
  } finally {
    await server.stop();
    interrupted.end();
  }
}
