import { mkdir } from "node:fs/promises";
import type { GateLevel, Isolation } from "../core/control.ts";
import { layersOfDefence } from "../mutation/layers.ts";
import { startServer } from "../postgres/provider.ts";
import { writeLayers } from "../reporters/layers-files.ts";
import { layersText, withoutWords } from "../reporters/layers-text.ts";
import { recordJson } from "../reporters/records.ts";
import { loadService } from "../service/load-service.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { showInReport } from "./show-in-report.ts";

export interface LayersCommandOptions {
  readonly preemptions: number;
  readonly gates: readonly GateLevel[];
  readonly isolation: Isolation;
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly report: string;
  readonly json?: boolean;
  readonly stepTimeout: number;
}

/**
 * `heddle layers`: prints which protections keep each promise and writes the reports. Returns the exit
 * code: 1 if a promise breaks with all of its protections in place.
 */
export async function layersCommand(model: string, options: LayersCommandOptions): Promise<number> {
  const service = await loadService(model);
  await mkdir(options.report, { recursive: true });
  const interrupted = interruption();
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  try {
    process.stderr.write(`${server.description}\n`);
    const layers = await layersOfDefence(server, service, {
      seed: 1,
      preemptions: options.preemptions,
      control: { gates: options.gates, isolation: options.isolation },
      stepTimeoutMs: options.stepTimeout,
      signal: interrupted.signal,
      onCase: ({ name }, found) =>
        process.stderr.write(`${name}, ${withoutWords(found)}: ${found.outcome}\n`),
    });
    const record = await writeLayers(options.report, layers);
    await showInReport(options.report);
    const view = { colour: process.stdout.isTTY && process.stdout.hasColors() };
    process.stdout.write(options.json ? recordJson(record) : layersText(record, view));
    if (interrupted.signal.aborted) return EXIT.interrupted;
    const cases = layers.promises.flatMap((promise) => promise.cases);
    if (cases.some(({ without, outcome }) => without.length === 0 && outcome === "breaks")) {
      return EXIT.violation;
    }
    return cases.some(({ outcome }) => outcome === "unknown") ? EXIT.unknown : EXIT.pass;
  } finally {
    await server.stop();
    interrupted.end();
  }
}
