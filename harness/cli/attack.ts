import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import { attackReport } from "../attack/attack-report.ts";
import { runAttack } from "../attack/run-attack.ts";
import { HarnessError } from "../core/error.ts";
import { isServiceFile, loadService } from "../loading/load-service.ts";
import { redactedAttack } from "../reporters/redacted-reports.ts";
import type { Redaction } from "../reporters/redaction.ts";
import type { Attack } from "../service/attack.ts";
import type { Service } from "../service/service.ts";
import { version } from "../version.ts";
import { EXIT, exitCodeOfCampaign, interruption } from "./exit.ts";
import {
  addHiddenAlias,
  durationMs,
  positiveNumber,
  redact,
  requestCount,
  SERVICE,
} from "./options.ts";
import { serviceName } from "./project.ts";
import { publishAttack } from "./publish.ts";
import { requireFolder } from "./writable.ts";

const FIVE_MINUTES = 300_000;

interface Options {
  readonly service?: string;
  readonly seed?: string;
  readonly iterations: number;
  readonly concurrency: number;
  readonly time: number;
  readonly targetUrl: string;
  readonly databaseUrl?: string;
  readonly iOwnThisHost?: string;
  readonly report: string;
  readonly redact?: Redaction;
  readonly json?: boolean;
}

/** `heddle attack`: sends concurrent requests to a deployment, and checks their combined effect. */
export function addAttack(command: Command, finished: (exitCode: number) => void): void {
  command
    .argument("[name]", "the attack; needed if the service has several")
    .option("--target-url <url>", "the URL of the service", "http://localhost:3000")
    .option("--database-url <url>", "its database, to call its functions directly as well")
    .option("--seed <text>", "the seed of all random choices (default: NAME-test)")
    .option("--iterations <number>", "the number of rounds", positiveNumber, 100)
    .option("--concurrency <number>", "the number of concurrent requests", requestCount, 8)
    .addOption(
      new Option("--time <duration>", "the time limit")
        .argParser(durationMs)
        .default(FIVE_MINUTES, "5m"),
    )
    .option("--i-own-this-host <name>", "required for any host but this machine")
    .option("--service <name>", SERVICE)
    .option("--report <folder>", "the folder for the reports", "reports")
    .addOption(redact())
    .option("--json", "print report.json instead of the summary")
    .action(async (name: string | undefined, options: Options) => {
      finished(await runCommand(name, options));
    });
  addHiddenAlias(command, "--model <name>", "--service");
}

async function runCommand(name: string | undefined, options: Options): Promise<number> {
  if (name !== undefined && isServiceFile(name)) {
    throw new HarnessError(
      "USAGE",
      `${name} is a file, and the argument is the name of an attack: name the service with --service ${name}`,
    );
  }
  await requireFolder(options.report, "--report");
  const service = await loadService(await serviceName(options.service));
  const attack = attackOf(service, name);
  for (const url of [options.targetUrl, options.databaseUrl]) {
    if (url !== undefined) requireOwnHost(url, options.iOwnThisHost);
  }
  const { targetUrl: url, databaseUrl, concurrency, seed = `${attack.name}-test` } = options;
  const target = { url, databaseUrl, concurrency, seed };
  const interrupted = interruption("finishing the current round");
  const startedAt = new Date();
  const start = performance.now();
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
    const outcome = attackReport(service.name, attack, target, result, {
      startedAt: startedAt.toISOString(),
      elapsedMs: performance.now() - start,
      environment: {
        heddle: version,
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        cpus: availableParallelism(),
      },
    });
    const { report: folder, json } = options;
    await publishAttack(redactedAttack(outcome, options.redact), {
      folder,
      json: json === true,
      sources: [],
    });
    if (interrupted.signal.aborted && outcome.verdict === "unknown") return EXIT.interrupted;
    return exitCodeOfCampaign(outcome.verdict, result.error);
  } finally {
    interrupted.end();
  }
}

/** The attack of that name; without a name, the only one. Throws HarnessError `USAGE`. */
export function attackOf(
  { name: service, attacks = [] }: Pick<Service, "name" | "attacks">,
  name: string | undefined,
): Attack {
  const [attack, ...others] = attacks.filter((other) => name === undefined || other.name === name);
  if (attack !== undefined && others.length === 0) return attack;
  if (attacks.length === 0) {
    throw new HarnessError(
      "USAGE",
      `the service "${service}" has no attacks: add \`attacks\` to it (docs/library.md shows one)`,
    );
  }
  const has = `${service} has: ${attacks.map((other) => other.name).join(", ")}`;
  throw new HarnessError(
    "USAGE",
    name === undefined ? `name the attack; ${has}` : `there is no attack "${name}"; ${has}`,
  );
}

/** Refuses a host other than this machine, unless the command line names it as the user's own. */
function requireOwnHost(text: string, ownHost: string | undefined): void {
  let host: string;
  try {
    const { hostname, searchParams } = new URL(text);
    host = searchParams.get("host") ?? hostname;
  } catch {
    throw new HarnessError("USAGE", `${text} is no URL: give one such as http://localhost:3000`);
  }
  const loopback = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host) || host.startsWith("/");
  if (loopback || host === "" || host === ownHost) return;
  throw new HarnessError(
    "USAGE",
    `${host} is not this machine: if you may attack it, add --i-own-this-host ${host}`,
  );
}
