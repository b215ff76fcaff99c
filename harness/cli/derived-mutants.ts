import { loadService } from "../loading/load-service.ts";
import type { MutationScore } from "../mutation/mutation-score.ts";
import { mutationScore } from "../mutation/mutation-score.ts";
import { startServer } from "../postgres/provider.ts";
import { groupByOutcome, scoreText } from "../reporters/derived-mutants.ts";
import { jsonText } from "../reporters/json.ts";
import { redactedScore } from "../reporters/redacted-reports.ts";
import type { Redaction } from "../reporters/redaction.ts";
import { writeDerivedMutants } from "../reporters/write.ts";
import { EXIT, interruption } from "./exit.ts";
import { print } from "./output.ts";
import { serviceName } from "./project.ts";
import { showInReport } from "./publish.ts";
import { requireFolder } from "./writable.ts";

export interface DerivedMutantsOptions {
  readonly only?: readonly string[];
  readonly seed?: number;
  /** Default: as many as fit into `time`. */
  readonly runs: number | undefined;
  readonly time?: number;
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly report: string;
  readonly redact?: Redaction;
  readonly json?: boolean;
  readonly stepTimeout: number;
}

/**
 * `heddle mutants --derived`: prints the score of a schema's mutants and writes the reports. Returns the
 * exit code: 1 if a mutant survives and the service states no reason for it.
 */
export async function derivedMutantsCommand(
  name: string | undefined,
  options: DerivedMutantsOptions,
): Promise<number> {
  await requireFolder(options.report, "--report");
  const service = await loadService(await serviceName(name));
  const interrupted = interruption();
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  try {
    process.stderr.write(`${server.description}\n`);
    const whole = await mutationScore(server, service, {
      seed: options.seed ?? 1,
      runs: options.runs,
      timeMs: options.time,
      stepTimeoutMs: options.stepTimeout,
      only: options.only,
      signal: interrupted.signal,
      onResult: ({ outcome, mutant }, done, of) =>
        process.stderr.write(`${done}/${of} ${outcome} ${mutant.id}\n`),
    });
    const score = redactedScore(whole, options.redact);
    const record = await writeDerivedMutants(options.report, score);
    await showInReport(options.report);
    const colour = process.stdout.isTTY && process.stdout.hasColors();
    print(options.json ? jsonText(record) : scoreText(score, { colour }));
    return interrupted.signal.aborted ? EXIT.interrupted : exitCodeOfScore(score);
  } finally {
    await server.stop();
    interrupted.end();
  }
}

function exitCodeOfScore(score: MutationScore): number {
  const { survived, unknown } = groupByOutcome(score);
  const unexplained = survived.filter(({ reason }) => reason === null);
  if (unexplained.length + score.misclassified.length > 0) return EXIT.violation;
  return unknown.length > 0 ? EXIT.unknown : EXIT.pass;
}
