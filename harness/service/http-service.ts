import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import type { ServiceEnd } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import { realNow } from "../core/real-clock.ts";
import type { SystemContext } from "../execution/system.ts";
import { PreloadChannel } from "./preload-channel.ts";
import { type ProgramContext, type RunningProgram, startProgram } from "./program.ts";
import { encodedBody } from "./request-body.ts";
import type { HttpClient, HttpService, Outcome, Program } from "./scenario-definition.ts";

/** The time limit for a service to listen. */
const START_MS = 30_000;
const POLL_MS = 10;

const NOT_FROZEN =
  "The clock and the random numbers of the service: it is no program on Node, so they are neither frozen nor seeded (faketime can do that for other programs).";

/** What requests are sent to: a service that Heddle started, or one that was running already. */
export interface RequestTarget {
  readonly url: string;
  /** Kills the service, and starts it again on the same port. Absent for a service that was running already. */
  readonly restart?: () => Promise<void>;
  /** How the service ended by itself; undefined while it runs, and for one that was running already. */
  readonly ended?: () => ServiceEnd | undefined;
  /** Keeps its last words out of the log: Heddle ends its connections. Absent for one that was running already. */
  readonly disconnecting?: () => void;
  /** Tells the service that an execution begins. Absent if it has nothing to do then. */
  readonly begin?: () => Promise<void>;
  /** What could not be controlled, as sentences of a report. */
  readonly notes?: () => readonly string[];
  stop(): Promise<void>;
}

/** Resolves when the service listens. Throws HarnessError `USAGE` with the service's output if it does not. */
export async function startService(
  definition: HttpService,
  context: SystemContext,
  options: Omit<ProgramContext, "url">,
): Promise<RequestTarget> {
  if ("exec" in definition) {
    return startedProgram(definition, { ...options, url: await context.urlFor() }, context);
  }
  await context.listenOn(definition.databasePort, definition.databasePassword);
  return { url: definition.url, stop: async () => {} };
}

async function startedProgram(
  definition: Program,
  given: ProgramContext,
  { freeze: time, folder, serviceLog: log }: SystemContext,
): Promise<RequestTarget> {
  const port = await freePort();
  const channel = time === undefined ? undefined : await PreloadChannel.open(folder);
  const options =
    time === undefined || channel === undefined
      ? { ...given, log }
      : { ...given, log, preload: { freeze: { time, seed: "service" }, channel: channel.path } };
  let end: ServiceEnd | undefined;
  let stopping = false;
  const start = async () => {
    const started = await listening(definition, options, port);
    [end, stopping] = [undefined, false];
    const { ended } = started;
    ended.then(
      ({ code }) => {
        if (!stopping) end = { code, lastWords: started.stderr() };
      },
      () => {},
    );
    return started;
  };
  let running = await start().catch(async (error: unknown) => {
    await channel?.close();
    throw error;
  });
  const stop = async () => {
    stopping = true;
    running.kill();
    await running.ended;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await stop();
      await channel?.close();
    },
    ...(channel && {
      begin: () => channel.begin(),
      notes: () => (channel.reached ? [] : [NOT_FROZEN]),
    }),
    async restart() {
      await stop();
      running = await start();
    },
    ended: () => end,
    disconnecting: () => running.mute(),
  };
}

async function listening(
  definition: Program,
  options: ProgramContext,
  port: number,
): Promise<RunningProgram> {
  const running = startProgram(definition, options, { PORT: String(port) });
  let ended = false;
  const end = () => {
    ended = true;
  };
  running.ended.then(end, end);
  const name = definition.exec.join(" ");
  const deadline = realNow() + START_MS;
  while (!(await listens(port))) {
    if (ended) {
      const { code } = await running.ended;
      throw notListening(`the service ${name} ended with ${code} before it listened`, running);
    }
    if (realNow() > deadline) {
      running.kill();
      const address = `127.0.0.1:${port}`;
      throw notListening(`the service ${name} does not listen on its PORT, ${address}`, running);
    }
    await delay(POLL_MS);
  }
  return running;
}

function notListening(what: string, running: RunningProgram): HarnessError {
  return new HarnessError("USAGE", `${what}; its standard error: ${running.stderr() || "empty"}`);
}

/** Sends a request. Its answer is the body, parsed if it is JSON. */
export async function outcomeOfRequest(
  { http: { path, body, headers, type, method = body === undefined ? "GET" : "POST" } }: HttpClient,
  service: string | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  if (service === undefined) {
    throw new HarnessError(
      "USAGE",
      "a client sends an HTTP request, but the scenario has no `service`: add one",
    );
  }
  const encoded = body === undefined ? undefined : encodedBody(type ?? "json", body);
  const all = new Headers(encoded?.type === undefined ? {} : { "content-type": encoded.type });
  for (const [name, value] of Object.entries(headers ?? {})) all.set(name, value);
  // `fetch` leaves its listener at the signal until the garbage is collected: at one of its own.
  const ended = new AbortController();
  const end = () => ended.abort(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    const response = await fetch(new URL(path, service), {
      ...{ method, signal: ended.signal, headers: all },
      ...(encoded && { body: encoded.body }),
    });
    return { status: response.status, value: asValue(await response.text()) };
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function asValue(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("the probe has no port");
  return address.port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ port, host: "127.0.0.1" });
    probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
    probe.once("connect", () => probe.destroy());
  });
}
