import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { realNow } from "../core/real-clock.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { openClient } from "../postgres/connection.ts";
import { outcomeOfRequest, startService } from "./http-service.ts";
import { observed } from "./invariant-definition.ts";
import { KillableClients } from "./killable-clients.ts";
import { KILLED, outcomeOf, outcomeOfLostRequest, responseOf } from "./outcome.ts";
import type { PreloadOptions } from "./preload-channel.ts";
import { outcomeOfProgram, startProgram } from "./program.ts";
import type {
  ClientDefinition,
  ClientQuery,
  HttpClient,
  Outcome,
  ScenarioDefinition,
} from "./scenario-definition.ts";
import { contentsOf, type Restorer, takeSnapshot } from "./snapshot.ts";

/** The time limit for connections to close after their client has ended. */
const CLOSE_MS = 1_000;

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
  const killable = new KillableClients(signal);
  const clients = Object.values(definition.clients);
  const send = async (client: HttpClient): Promise<Outcome> => {
    const answer = outcomeOfRequest(client, service?.url, signal).catch((error: unknown) =>
      outcomeOfLostRequest(error, service),
    );
    unanswered.add(answer);
    const outcome = await answer;
    unanswered.delete(answer);
    return outcome;
  };
  const run = async (
    client: Exclude<ClientDefinition, HttpClient>,
    number: number,
    name: string,
  ): Promise<Outcome> => {
    const url = await context.urlFor(number);
    return killable.outcomeOf(number, (signal) =>
      typeof client === "function"
        ? outcomeOf(() => client({ url, service: service?.url, signal }))
        : outcomeOfProgram(
            startProgram(client, { url, file, signal, ...preloadOf(context, name) }),
          ),
    );
  };
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
      const outcome = "http" in client ? await send(client) : await run(client, number, name);
      outcomes[name] = outcome;
      if (outcome === KILLED) return responseOf(outcome);
      const left = await connectionsLeft(name, outcome, () => context.sessionsOf(number));
      if (left !== undefined) open.set(number, left);
      return responseOf(outcome);
    },

    async observe(when) {
      // Those of a pool that clients share stay open.
      for (const [number, error] of when === "commit" ? [] : open) {
        if (context.sessionsOf(number) > 0) throw error;
      }
      return observed(definition.invariants ?? {}, { query, outcomes }, when);
    },

    ...(definition.serialEquivalence && { contents: () => contentsOf(query) }),

    async recover() {
      direct = await openClient(context.directUrl);
    },

    ...(restart && {
      async kill() {
        await restart();
        await Promise.all(unanswered);
      },
    }),

    ...(clients.some((client) => !("http" in client)) && {
      async killClient(number) {
        const ended = killable.kill(number);
        const client = clients[number];
        if (client !== undefined && "exec" in client) await ended;
      },
    }),

    remembers:
      service?.ended !== undefined ||
      (context.sharingUnknown === true && clients.some((client) => typeof client === "function")),
    ...(service?.ended && { ended: service.ended, disconnecting: service.disconnecting }),

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
): Promise<Pick<Restorer, "restore" | "dirty">> {
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
