import type { GateName, Isolation } from "../core/control.ts";
import { controlFor } from "../explorer/defaults.ts";
import { loadService } from "../loading/load-service.ts";
import { layersOfDefence } from "../mutation/layers.ts";
import { startServer } from "../postgres/provider.ts";
import { jsonText } from "../reporters/json.ts";
import { layersText, removedProtections } from "../reporters/layers.ts";
import { redactedLayers } from "../reporters/redacted-reports.ts";
import type { Redaction } from "../reporters/redaction.ts";
import { writeLayers } from "../reporters/write.ts";
import { EXIT, interruption } from "./exit.ts";
import { print } from "./output.ts";
import { serviceName } from "./project.ts";
import { showInReport } from "./publish.ts";
import { requireFolder } from "./writable.ts";

export interface LayersCommandOptions {
  readonly preemptions: number;
  readonly gates: readonly GateName[];
  readonly isolation?: Isolation;
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly report: string;
  readonly redact?: Redaction;
  readonly json?: boolean;
  readonly stepTimeout: number;
}

/**
 * `heddle layers`: prints which protections keep each promise and writes the reports. Returns the exit
 * code: 1 if a promise breaks with all of its protections in place.
 */
export async function layersCommand(
  name: string | undefined,
  options: LayersCommandOptions,
): Promise<number> {
  await requireFolder(options.report, "--report");
  const service = await loadService(await serviceName(name));
  const interrupted = interruption();
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  try {
    process.stderr.write(`${server.description}\n`);
    const whole = await layersOfDefence(server, service, {
      seed: 1,
      preemptions: options.preemptions,
      control: controlFor(service, {
        gates: options.gates,
        ...(options.isolation && { isolation: options.isolation }),
      }),
      stepTimeoutMs: options.stepTimeout,
      signal: interrupted.signal,
      onCase: ({ name }, found) =>
        process.stderr.write(`${name}, ${removedProtections(found)}: ${found.outcome}\n`),
    });
    const layers = redactedLayers(whole, options.redact);
    const record = await writeLayers(options.report, layers);
    await showInReport(options.report);
    const view = { colour: process.stdout.isTTY && process.stdout.hasColors() };
    print(options.json ? jsonText(record) : layersText(record, view));
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
