import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { HarnessError } from "../core/error.ts";
import { atomicWrite } from "../explorer/atomic-write.ts";
import { quantity } from "../reporters/format-values.ts";
import { harText, type RecordedRequest } from "../service/har.ts";
import { preloadEnv } from "../service/preload-channel.ts";
import { startRecordingProxy } from "../service/recording-proxy.ts";
import { version } from "../version.ts";
import { EXIT } from "./exit.ts";
import { print } from "./output.ts";

interface Options {
  readonly har: string;
  readonly service?: URL;
  readonly listen: number;
  readonly env: string;
}

/** `heddle record -- npm test`: runs a command, and writes the requests that were answered meanwhile. */
export function addRecord(command: Command, finished: (exitCode: number) => void): void {
  command
    .usage("[options] -- <command...>")
    .argument("<command...>", "the command, after --, such as npm test")
    .option("--har <file>", "the file for the requests, an HTTP archive", "session.har")
    .option(
      "--service <url>",
      "record by a proxy before this service, which runs already (default: in the Node processes of the command)",
      serviceUrl,
    )
    .option("--listen <port>", "the port of the proxy (default: a free one)", port, 0)
    .option("--env <name>", "the variable in which the command gets the proxy's URL", "BASE_URL")
    .action(async (given: readonly string[], options: Options) => {
      finished(await runCommand(given, options));
    });
}

function serviceUrl(text: string): URL {
  if (/^https?:/.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError("Give the URL of a service, such as http://localhost:3000.");
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError("Give the number of a port.");
}

/** @returns the exit code of the command; that of a violation if it has none */
async function runCommand(command: readonly string[], options: Options): Promise<number> {
  const { service, har } = options;
  const { code, requests } = await (service === undefined
    ? recordedInProcesses(command)
    : recordedByProxy(command, service, options));
  if (requests.length === 0) {
    throw new HarnessError(
      "USAGE",
      `no request was recorded while ${command.join(" ")} ran: ${service === undefined ? IN_PROCESS : BY_PROXY(options.env)}`,
    );
  }
  await atomicWrite(har, harText(requests, version));
  print(
    `wrote ${har}: ${quantity(requests.length, "request")}, with their headers: keep secrets out of version control\n` +
      `\nNow use it: operations: fromHar(${JSON.stringify(har)}), or npx heddle init\n`,
  );
  return code;
}

const IN_PROCESS =
  "HTTP servers of Node are noticed in the command and in what it starts; for another service, start it " +
  "and give its URL with --service";
const BY_PROXY = (name: string) =>
  `the command has to send its requests to the URL in ${name}; --env names another variable, and --listen fixes the port`;

interface Recording {
  readonly code: number;
  /** In the order of their answers. */
  readonly requests: readonly RecordedRequest[];
}

async function recordedInProcesses(command: readonly string[]): Promise<Recording> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-record-"));
  const file = join(folder, "requests");
  try {
    const code = await run(command, preloadEnv({ record: file }, process.env["NODE_OPTIONS"]));
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
    const requests = lines.flatMap((line) => lineAsRequest(line) ?? []);
    return { code, requests };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Undefined for a line that a process has not completed. */
function lineAsRequest(line: string): RecordedRequest | undefined {
  try {
    return JSON.parse(line) as RecordedRequest;
  } catch {
    return undefined;
  }
}

async function recordedByProxy(
  command: readonly string[],
  service: URL,
  { listen, env }: Options,
): Promise<Recording> {
  const requests: RecordedRequest[] = [];
  const proxy = await startRecordingProxy(service, listen, (request) => requests.push(request));
  try {
    return { code: await run(command, { [env]: proxy.url }), requests };
  } finally {
    await proxy.close();
  }
}

/** Runs the command at this terminal, and resolves with its exit code. */
function run([name = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  // A Ctrl-C reaches the command as well, and ends it.
  const wait = () => {};
  process.on("SIGINT", wait);
  return new Promise<number>((resolve, reject) => {
    const child = spawn(name, args, { env: { ...process.env, ...env }, stdio: "inherit" });
    child.once("error", (cause) =>
      reject(new HarnessError("USAGE", `${name} cannot be started: ${cause.message}`, { cause })),
    );
    child.once("close", (code, signal) =>
      resolve(code ?? (signal === null ? EXIT.unknown : 128 + constants.signals[signal])),
    );
  }).finally(() => process.off("SIGINT", wait));
}
