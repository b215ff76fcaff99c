import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { attributed } from "../execution/system.ts";
import { openClient } from "../postgres/connection.ts";
import { outcomeOfRequest, startService } from "./http-service.ts";
import { outcomeOfProgram, startProgram } from "./program.ts";
import type { ClientQuery, Outcome, ScenarioDefinition } from "./scenario-definition.ts";
import { contentsOf, type Restorer, takeSnapshot } from "./snapshot.ts";

/** The time limit for connections to close after their client has ended. */
const CLOSE_MS = 1_000;

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
  const unhandledErrors = new UnhandledErrors();
  const abort = new AbortController();
  const { signal } = abort;
  const service =
    definition.service && (await startService(definition.service, context, { file, signal }));
  let outcomes: Record<string, Outcome> = {};
  /** Requests that the service has not answered. */
  const unanswered = new Set<Promise<Outcome>>();
  const { restart } = service ?? {};
  // A kill while a client uses the database directly would not be deterministic.
  const requestsOnly = Object.values(definition.clients).every((client) => "http" in client);
  return {
    async reset() {
      outcomes = {};
      await restore();
    },

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
            ? outcomeOfProgram(startProgram(client, { url, file, signal }))
            : outcomeOfRequest(client, service?.url, signal).catch(outcomeOfError);
      unanswered.add(answer);
      const outcome = await Promise.race([answer, unhandledErrors.failed]);
      unanswered.delete(answer);
      outcomes[name] = outcome;
      await connectionsClosed(name, outcome, () => context.sessionsOf(number));
      return responseOf(outcome);
    },

    async observe() {
      const broken: Record<string, readonly JsonObject[]> = {};
      for (const [name, invariant] of Object.entries(definition.invariants ?? {})) {
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

    async stop() {
      abort.abort();
      await service?.stop();
      await direct.end();
      await unhandledErrors.close();
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

/** Waits until a client has no connection left: an open one would disturb the next execution. */
async function connectionsClosed(
  client: string,
  outcome: Outcome,
  openConnections: () => number,
): Promise<void> {
  const deadline = performance.now() + CLOSE_MS;
  while (openConnections() > 0) {
    if (performance.now() > deadline) {
      throw new HarnessError(
        "SERVICE_FAILED",
        `client "${client}" has ended${errorText(outcome)} and left ${openConnections()} of its connections ` +
          "open: close them in a `finally` (client.end(), pool.end(), sql.end(), …)",
      );
    }
    await delay(1);
  }
}

function errorText(outcome: Outcome): string {
  return "error" in outcome ? ` with ${outcome.error} (${outcome.message})` : "";
}

/** Closed connections may still emit errors for this time. */
const LATE_ERRORS_MS = 50;

/**
 * Unhandled errors of clients: of a promise without an `await`, or an `error` event without a listener.
 * Without this class, they would end the process before the report is written.
 */
class UnhandledErrors {
  /** Rejects with HarnessError `SERVICE_FAILED` at the first unhandled error. */
  readonly failed: Promise<never>;
  #reject: (error: HarnessError) => void = () => {};

  constructor() {
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // Only the client that is performed next awaits it, and there may be none.
    this.failed.catch(() => {});
    process.on("uncaughtException", this.#take).on("unhandledRejection", this.#take);
  }

  readonly #take = (cause: unknown): void => {
    this.#reject(
      new HarnessError(
        "SERVICE_FAILED",
        `a client has an unhandled error: ${String(cause)}; await all of its promises, ` +
          "and listen to the `error` event of its connections",
        { cause },
      ),
    );
  };

  /** Stops handling errors, after those that closing connections causes. */
  async close(): Promise<void> {
    await delay(LATE_ERRORS_MS);
    process.off("uncaughtException", this.#take).off("unhandledRejection", this.#take);
  }
}
