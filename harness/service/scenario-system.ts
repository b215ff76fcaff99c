import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { attributed } from "../execution/error-attribution.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { contentsOf } from "./contents.ts";
import { outcomeOfProgram, startProgram } from "./program.ts";
import type { ClientQuery, Outcome, ScenarioDefinition } from "./scenario-definition.ts";
import { type Restorer, takeSnapshot } from "./snapshot.ts";
import { outcomeOfRequest, startService } from "./started-service.ts";
import { UnhandledErrors } from "./unhandled-errors.ts";

/** How long connections that a client has asked to close may take to be gone. */
const CLOSING_MS = 1_000;

/** The code of what is thrown and is no error. */
export const THROWN = "THROWN";

/** The clients of a scenario file, and its service if it has one. The operation of each has the client's name. */
export async function startScenario(
  definition: ScenarioDefinition,
  context: SystemContext,
  file: URL,
): Promise<System<null, Operation>> {
  let direct = await connected(context.directUrl);
  const query: ClientQuery = async (sql, values = []) =>
    (await direct.query<JsonObject>(sql, [...values])).rows;
  const { restore, dirty } = await resetOf(definition, context, query);
  const strays = new UnhandledErrors();
  const abort = new AbortController();
  const { signal } = abort;
  const service =
    definition.service && (await startService(definition.service, context, { file, signal }));
  let outcomes: Record<string, Outcome> = {};
  /** Requests that the service has not answered. */
  const unanswered = new Set<Promise<Outcome>>();
  const { restart } = service ?? {};
  // What else a client does when the service is gone would be up to chance.
  const requestsOnly = Object.values(definition.clients).every((how) => "http" in how);
  return {
    async reset() {
      outcomes = {};
      await restore();
    },

    dirty,

    async perform({ name }, client) {
      const how = definition.clients[name];
      if (how === undefined) {
        throw new HarnessError("SERVICE_FAILED", `the scenario has no client "${name}" any more`);
      }
      const url = await context.urlFor(client);
      const ending =
        typeof how === "function"
          ? outcomeOf(() => how({ url, service: service?.url, signal }))
          : "exec" in how
            ? outcomeOfProgram(startProgram(how, { url, file, signal }))
            : outcomeOfRequest(how, service?.url, signal).catch(failedWith);
      unanswered.add(ending);
      const outcome = await Promise.race([ending, strays.failed]);
      unanswered.delete(ending);
      outcomes[name] = outcome;
      await closed(name, outcome, () => context.sessionsOf(client));
      return responseOf(outcome);
    },

    async observe() {
      const found: Record<string, readonly JsonObject[]> = {};
      for (const [name, invariant] of Object.entries(definition.invariants ?? {})) {
        const check = async () =>
          typeof invariant === "string" ? query(invariant) : invariant({ query, outcomes });
        found[name] = await attributed(`the invariant "${name}"`, broken(name, check));
      }
      return found satisfies Snapshot;
    },

    ...(definition.serialEquivalence && { contents: () => contentsOf(query) }),

    async recover() {
      direct = await connected(context.directUrl);
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
      await strays.close();
    },
  };
}

/** A session past the gate. */
async function connected(directUrl: string): Promise<Client> {
  const client = new Client({ connectionString: directUrl });
  client.on("error", () => {}); // Whatever is asked of it next says what happened.
  await client.connect();
  return client;
}

async function resetOf(
  { reset }: ScenarioDefinition,
  { directUrl }: SystemContext,
  query: ClientQuery,
): Promise<Restorer> {
  if (reset === undefined) return takeSnapshot(query);
  const restore = async () => {
    await (typeof reset === "string" ? query(reset) : reset({ url: directUrl, query }));
  };
  return { restore, dirty: async () => false };
}

async function outcomeOf(run: () => unknown): Promise<Outcome> {
  try {
    return { value: asJson(await run()) };
  } catch (error) {
    return failedWith(error);
  }
}

function failedWith(error: unknown): Outcome {
  if (error instanceof HarnessError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  return { error: codeOf(error), message };
}

/** What a driver calls it, the SQLSTATE as a rule; else the name of the error's class. */
function codeOf(error: unknown): string {
  // Drivers of drivers wrap what they were told.
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
  return { outcome: isLost(code, message) ? "info" : "fail", code, body: { message } };
}

/**
 * Whether an error says that a connection was lost, so that nobody knows what became of the statement:
 * SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html), the system's codes, and
 * what drivers say themselves.
 */
function isLost(code: string, message: string): boolean {
  return (
    /^08...$|^57P0[123]$|^ECONN(RESET|REFUSED|ABORTED)$|^EPIPE$|^UND_ERR_SOCKET$|^CONNECTION_/.test(
      code,
    ) || /^Connection terminated|server closed the connection unexpectedly/.test(message)
  );
}

/** As it reads in a report: what JSON has no word for is text, or left out. */
function asJson<T extends Json>(value: unknown): T {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === "bigint" ? String(item) : item,
  );
  return (text === undefined ? null : JSON.parse(text)) as T;
}

/** The rows that break an invariant. */
async function broken(name: string, check: () => Promise<unknown>): Promise<readonly JsonObject[]> {
  try {
    const rows = (await check()) ?? [];
    if (Array.isArray(rows)) return asJson(rows);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AssertionError") throw error;
    return [{ message: error.message.split("\n", 1)[0] ?? error.message }];
  }
  throw new HarnessError(
    "SERVICE_FAILED",
    `the invariant "${name}" gives neither the rows that break it, in a list, nor nothing`,
  );
}

/** A connection that is left open would go on for the next execution. */
async function closed(client: string, outcome: Outcome, left: () => number): Promise<void> {
  const deadline = performance.now() + CLOSING_MS;
  while (left() > 0) {
    if (performance.now() > deadline) {
      throw new HarnessError(
        "SERVICE_FAILED",
        `client "${client}" has ended${becauseOf(outcome)} and left ${left()} of its connections ` +
          "open: let it close what it opens (client.end(), pool.end(), sql.end(), …), in a `finally`",
      );
    }
    await delay(1);
  }
}

function becauseOf(outcome: Outcome): string {
  return "error" in outcome ? ` with ${outcome.error} (${outcome.message})` : "";
}
