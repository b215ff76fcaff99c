import { mkdir } from "node:fs/promises";
import path from "node:path";
import { atomicWrite } from "../explorer/atomic-write.ts";
import type { MutationScore } from "../mutation/mutation-score.ts";
import { mutationScore } from "../mutation/mutation-score.ts";
import { startServer } from "../postgres/provider.ts";
import { scoreHtml } from "../reporters/html/score.ts";
import { SCORE_VERSION } from "../reporters/record-schema.ts";
import { RECORDS, recordJson } from "../reporters/records.ts";
import { groupsOf, scoreText } from "../reporters/score-text.ts";
import { loadService } from "../service/load-service.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { showInReport } from "./show-in-report.ts";

export interface DerivedMutantsOptions {
  readonly only?: readonly string[];
  readonly seed?: number;
  readonly runs: number;
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly report: string;
  readonly json?: boolean;
  readonly stepTimeout: number;
}

/**
 * `heddle mutants --derived`: prints the score of a schema's mutants and writes the reports. Returns the
 * exit code: 1 if a mutant survives and the service states no reason for it.
 */
export async function derivedMutantsCommand(
  model: string,
  options: DerivedMutantsOptions,
): Promise<number> {
  const service = await loadService(model);
  await mkdir(options.report, { recursive: true });
  const interrupted = interruption();
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  try {
    process.stderr.write(`${server.description}\n`);
    const score = await mutationScore(server, service, {
      seed: options.seed ?? 1,
      runs: options.runs,
      stepTimeoutMs: options.stepTimeout,
      only: options.only,
      signal: interrupted.signal,
      onResult: ({ outcome, mutant }, done, of) =>
        process.stderr.write(`${done}/${of} ${outcome} ${mutant.id}\n`),
    });
    const json = recordJson({ version: SCORE_VERSION, ...score });
    await atomicWrite(path.join(options.report, RECORDS.derived), json);
    await atomicWrite(path.join(options.report, "derived-mutants.html"), scoreHtml(score));
    await showInReport(options.report);
    const colour = process.stdout.isTTY && process.stdout.hasColors();
    process.stdout.write(options.json ? json : scoreText(score, { colour }));
    return interrupted.signal.aborted ? EXIT.interrupted : exitCodeOfScore(score);
  } finally {
    await server.stop();
    interrupted.end();
  }
}

function exitCodeOfScore(score: MutationScore): number {
  const { survived, unknown } = groupsOf(score);
  const unexplained = survived.filter(({ reason }) => reason === null);
  if (unexplained.length + score.misclassified.length > 0) return EXIT.violation;
  return unknown.length > 0 ? EXIT.unknown : EXIT.pass;
}
