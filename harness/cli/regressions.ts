import path from "node:path";
import type { Fate } from "../core/campaign.ts";
import { startServer } from "../postgres/provider.ts";
import { RegressionFolder } from "../regressions/regression-folder.ts";
import { replayRegressions } from "../regressions/replay-regressions.ts";
import { openExecutor } from "../verify.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { loadSubject, locateSubject } from "./load-subject.ts";

export interface RegressionsOptions {
  readonly postgres: string;
  readonly replay?: boolean;
  readonly prune?: boolean;
  readonly stepTimeout: number;
}

const SAID: { readonly [fate in Fate]: string } = {
  fails: "fails",
  mended: "no longer fails",
  unfit: "no longer fits: the service does not go that way any more",
};

/** `heddle regressions`: lists what is kept of a model, executes it, takes out what says nothing. */
export async function regressionsCommand(
  model: string,
  { postgres, replay, prune, stepTimeout }: RegressionsOptions,
): Promise<number> {
  const subject = await loadSubject(model);
  const folder = RegressionFolder.of(locateSubject(model), subject.name);
  const kept = await folder.kept(subject.name);
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
    const fates = await replayRegressions(kept, subject, (control) =>
      openExecutor(server, subject, undefined, {
        control,
        stepTimeoutMs: stepTimeout,
        signal: interrupted.signal,
      }),
    );
    for (const { file, fate } of fates) {
      const gone = prune && fate !== "fails";
      if (gone) await folder.remove(file);
      say(`${shown(file)}: ${SAID[fate]}${gone ? "; taken out" : ""}`);
    }
    return fates.some(({ fate }) => fate === "fails") ? EXIT.violation : EXIT.pass;
  } finally {
    await server.stop();
    interrupted.end();
  }
}
