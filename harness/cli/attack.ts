import { availableParallelism } from "node:os";
import { attackCampaign } from "../attack/attack-campaign.ts";
import { runAttack } from "../attack/run-attack.ts";
import { HarnessError } from "../core/error.ts";
import { loadService } from "../loading/load-service.ts";
import { version } from "../version.ts";
import { EXIT, exitCodeOfCampaign } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { publish } from "./publish.ts";

export interface AttackCommandOptions {
  readonly model: string;
  readonly seed: string;
  readonly iterations: number;
  readonly concurrency: number;
  readonly time: number;
  readonly targetUrl: string;
  readonly databaseUrl?: string;
  readonly iOwnThisHost?: string;
  readonly report: string;
  readonly json?: boolean;
}

/** `heddle attack`: sends what anybody could send, all at once, and says whether it did harm. */
export async function attackCommand(name: string, options: AttackCommandOptions): Promise<number> {
  const service = await loadService(options.model);
  const attack = service.attacks?.find((other) => other.name === name);
  if (attack === undefined) {
    const names = service.attacks?.map((other) => other.name).join(", ") || "none";
    throw new HarnessError("USAGE", `the model has no attack "${name}"; it has: ${names}`);
  }
  for (const url of [options.targetUrl, options.databaseUrl]) {
    if (url !== undefined) mustBeOwn(url, options.iOwnThisHost);
  }
  const { targetUrl: url, databaseUrl, concurrency, seed } = options;
  const target = { url, databaseUrl, concurrency, seed };
  const interrupted = interruption();
  const startedAt = new Date();
  const began = performance.now();
  try {
    const result = await runAttack(attack, service.model, target, {
      iterations: options.iterations,
      timeMs: options.time,
      signal: interrupted.signal,
      onRound: (rounds, violations) => {
        if (process.stderr.isTTY) {
          process.stderr.write(
            `\r${rounds} of ${options.iterations} rounds, ${violations} violations`,
          );
        }
      },
    });
    if (process.stderr.isTTY) process.stderr.write("\n");
    const campaign = attackCampaign(service.name, attack, target, result, {
      startedAt: startedAt.toISOString(),
      elapsedMs: performance.now() - began,
      environment: {
        heddle: version,
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        cpus: availableParallelism(),
        postgres: { provider: "target", version: "unknown", lockWaits: "polled" },
      },
    });
    const { report: folder, json } = options;
    await publish(campaign, { folder, json: json === true, sources: [] });
    if (interrupted.signal.aborted && campaign.verdict === "unknown") return EXIT.interrupted;
    return exitCodeOfCampaign(campaign.verdict, result.error);
  } finally {
    interrupted.end();
  }
}

/** Whoever attacks a host that is not his own should at least have had to lie about it. */
function mustBeOwn(text: string, named: string | undefined): void {
  let host: string;
  try {
    const { hostname, searchParams } = new URL(text);
    host = searchParams.get("host") ?? hostname;
  } catch {
    throw new HarnessError("USAGE", `${text} is no URL: give one such as http://localhost:3000`);
  }
  const loopback = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host) || host.startsWith("/");
  if (loopback || host === "" || host === named) return;
  throw new HarnessError(
    "USAGE",
    `${host} is not this machine: if it is yours to attack, say so with --i-own-this-host ${host}`,
  );
}
