import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { realNow } from "../core/real-clock.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { attributed } from "../execution/system.ts";
import { openClient } from "../postgres/connection.ts";
import { outcomeOfRequest, type StartedService, startService } from "./http-service.ts";
import type { PreloadOptions } from "./preload-channel.ts";
import { outcomeOfProgram, startProgram } from "./program.ts";
import type { ClientQuery, Outcome, ScenarioDefinition } from "./scenario-definition.ts";
import { contentsOf, type Restorer, takeSnapshot } from "./snapshot.ts";

/** The time limit for connections to close after their client has ended. */
const CLOSE_MS = 1_000;

/** The code of a request to a service that ended by itself. */
const SERVICE_ENDED = "CONNECTION_SERVICE_ENDED";

/** The code of a thrown value that is not an Error. */
export const THROWN = "THROWN";

/**
 * Starts the service of a scenario file, if it has one, and performs its clients. The operation of a
 * client has the client's name.
 */
export async function startScenario(
  definition: ScenarioDefinition,
  context: SystemContext,
  file: URL,
): Promise<System<null, Operation>> {
  let direct = await openClient(context.directUrl);
  const query: ClientQuery = async (sql, values = []) =>
    (await direct.query<JsonObject>(sql, [...values])).rows;
  const { restore, dirty } = await restorerOf(definition, context, query);
  const abort = new AbortController();
  const { signal } = abort;
  const service =
    definition.service && (await startService(definition.service, context, { file, signal }));
  let outcomes: Record<string, Outcome> = {};
  /** By number: the clients that have ended and left connections open, as errors. */
  const open = new Map<number, HarnessError>();
  /** Requests that the service has not answered. */
  const unanswered = new Set<Promise<Outcome>>();
  const { restart } = service ?? {};
  // A kill while a client uses the database directly would not be deterministic.
  const requestsOnly = Object.values(definition.clients).every((client) => "http" in client);
  return {
    async reset() {
      outcomes = {};
      open.clear();
      await restore();
      await service?.begin?.();
    },

    ...(service?.notes && { notes: service.notes }),

    dirty,

    async perform({ name }, number) {
      const client = definition.clients[name];
      if (client === undefined) {
        throw new HarnessError(
          "SERVICE_FAILED",
          `the scenario no longer has a client "${name}": give the file with which the counterexample was found`,
        );
      }
      const url = await context.urlFor(number);
      const answer =
        typeof client === "function"
          ? outcomeOf(() => client({ url, service: service?.url, signal }))
          : "exec" in client
            ? outcomeOfProgram(
                startProgram(client, { url, file, signal, ...preloadOf(context, name) }),
              )
            : outcomeOfRequest(client, service?.url, signal).catch((error: unknown) =>
                outcomeOfLostRequest(error, service),
              );
      unanswered.add(answer);
      const outcome = await answer;
      unanswered.delete(answer);
      outcomes[name] = outcome;
      const left = await connectionsLeft(name, outcome, () => context.sessionsOf(number));
      if (left !== undefined) open.set(number, left);
      return responseOf(outcome);
    },

    async observe(when) {
      const broken: Record<string, readonly JsonObject[]> = {};
      // Those of a pool that clients share stay open.
      for (const [number, error] of when === "commit" ? [] : open) {
        if (context.sessionsOf(number) > 0) throw error;
      }
      for (const [name, invariant] of Object.entries(definition.invariants ?? {})) {
        // A function may rely on the outcomes of all clients.
        if (when === "commit" && typeof invariant === "function") continue;
        const check = async () =>
          typeof invariant === "string" ? query(invariant) : invariant({ query, outcomes });
        broken[name] = await attributed(`the invariant "${name}"`, brokenRows(name, check));
      }
      return broken satisfies Snapshot;
    },

    ...(definition.serialEquivalence && { contents: () => contentsOf(query) }),

    async recover() {
      direct = await openClient(context.directUrl);
    },

    ...(restart &&
      requestsOnly && {
        async kill() {
          await restart();
          await Promise.all(unanswered);
        },
      }),

    ...(service?.ended && { ended: service.ended, remembers: true }),

    async stop() {
      abort.abort();
      await service?.stop();
      await direct.end();
    },
  };
}

/** The restorer that the scenario defines, or a snapshot. */
async function restorerOf(
  { reset }: ScenarioDefinition,
  { directUrl, directPortUrl: url = directUrl }: SystemContext,
  query: ClientQuery,
): Promise<Restorer> {
  if (reset === undefined) return takeSnapshot(query);
  const restore = async () => {
    await (typeof reset === "string" ? query(reset) : reset({ url, query }));
  };
  return { restore, dirty: async () => false };
}

/** What the preload does in the program of a client. */
function preloadOf({ freeze: time }: SystemContext, seed: string): { preload?: PreloadOptions } {
  return time === undefined ? {} : { preload: { freeze: { time, seed } } };
}

async function outcomeOf(run: () => unknown): Promise<Outcome> {
  try {
    return { value: asJson(await run()) };
  } catch (error) {
    return outcomeOfError(error);
  }
}

function outcomeOfError(error: unknown): Outcome {
  if (error instanceof HarnessError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  return { error: codeOf(error), message };
}

/** The time for a service to end whose connections have ended. */
const END_MS = 200;
const END_POLL_MS = 5;

/**
 * The outcome of a request without an answer. Which error it has depends on the moment at which the
 * service ended; so the outcome is one and the same if it did.
 */
async function outcomeOfLostRequest(
  error: unknown,
  service: StartedService | undefined,
): Promise<Outcome> {
  const outcome = outcomeOfError(error);
  if (service?.ended === undefined || !("error" in outcome)) return outcome;
  const deadline = realNow() + END_MS;
  while (service.ended() === undefined && realNow() < deadline) await delay(END_POLL_MS);
  if (service.ended() === undefined) return outcome;
  return { error: SERVICE_ENDED, message: "the service ended before it answered" };
}

/** The driver's code of an error, usually the SQLSTATE; else the name of the error's class. */
function codeOf(error: unknown): string {
  // An ORM wraps the error of its driver.
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
    if ("original" in at && at.original instanceof Error) return codeOf(at.original);
  }
  return error instanceof Error ? error.name : THROWN;
}

function responseOf(outcome: Outcome): Response {
  if ("value" in outcome) {
    const { value: body, status } = outcome;
    if (status === undefined) return { outcome: "ok", code: "OK", body };
    return { outcome: status < 400 ? "ok" : "fail", code: String(status), status, body };
  }
  const { error: code, message } = outcome;
  return { outcome: isConnectionLoss(code, message) ? "info" : "fail", code, body: { message } };
}

/**
 * Whether an error reports a lost connection, so that the effect of the statement is unknown: by SQLSTATE
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html), by the code of the operating system,
 * or by the message of a driver.
 */
function isConnectionLoss(code: string, message: string): boolean {
  return (
    /^08...$|^57P0[123]$|^ECONN(RESET|REFUSED|ABORTED)$|^EPIPE$|^UND_ERR_SOCKET$|^CONNECTION_/.test(
      code,
    ) || /^Connection terminated|server closed the connection unexpectedly/.test(message)
  );
}

/** A value as a report shows it: a bigint becomes text; what JSON cannot represent is left out. */
function asJson<T extends Json>(value: unknown): T {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === "bigint" ? String(item) : item,
  );
  return (text === undefined ? null : JSON.parse(text)) as T;
}

/** The rows that break an invariant; the message of a failed assertion counts as a row. */
async function brokenRows(
  name: string,
  check: () => Promise<unknown>,
): Promise<readonly JsonObject[]> {
  try {
    const rows = (await check()) ?? [];
    if (Array.isArray(rows)) return asJson(rows);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AssertionError") throw error;
    return [{ message: error.message.split("\n", 1)[0] ?? error.message }];
  }
  throw new HarnessError(
    "SERVICE_FAILED",
    `the invariant "${name}" must return a list of the rows that break it, or nothing`,
  );
}

/** Waits until a client has no connection left. The error if one stays open: it would disturb the next execution. */
async function connectionsLeft(
  client: string,
  outcome: Outcome,
  openConnections: () => number,
): Promise<HarnessError | undefined> {
  const deadline = realNow() + CLOSE_MS;
  while (openConnections() > 0) {
    if (realNow() > deadline) {
      return new HarnessError(
        "SERVICE_FAILED",
        `client "${client}" has ended${errorText(outcome)} and left ${openConnections()} of its connections ` +
          "open: close them in a `finally` (client.end(), pool.end(), sql.end(), …)",
      );
    }
    await delay(1);
  }
  return undefined;
}

function errorText(outcome: Outcome): string {
  return "error" in outcome ? ` with ${outcome.error} (${outcome.message})` : "";
}
