import { HarnessError } from "../core/error.ts";
import type { Operation } from "../core/operation.ts";
import { runAll } from "../execution/run-all.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { openClient, rowsOf } from "../postgres/connection.ts";
import { ClientPrograms } from "./client-programs.ts";
import { connectionsLeft } from "./connections-left.ts";
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
  const query: ClientQuery = (sql, values) => rowsOf(direct, sql, values);
  const abort = new AbortController();
  const { signal } = abort;
  const start = async () => ({
    ...(await restorerOf(definition, context, query)),
    service:
      definition.service && (await startService(definition.service, context, { file, signal })),
  });
  const { restore, dirty, repeats, service } = await start().catch(async (error: unknown) => {
    await direct.end();
    throw error;
  });
  let outcomes: Record<string, Outcome> = {};
  /** By number: the clients that have ended and left connections open, as errors. */
  const open = new Map<number, HarnessError>();
  /** Requests that the service has not answered. */
  const unanswered = new Set<Promise<Outcome>>();
  const { restart } = service ?? {};
  const killable = new KillableClients(signal);
  const clients = Object.values(definition.clients);
  const programs = programsOf(definition, context, { file, signal });
  const programNumbers = clients.flatMap((client, number) => ("exec" in client ? [number] : []));
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
  ): Promise<Outcome> => {
    if (typeof client !== "function") {
      return killable.outcomeOf(number, async (signal) =>
        outcomeOfProgram(await programs.take(number, signal)),
      );
    }
    const url = await context.urlFor(number);
    return killable.outcomeOf(number, (signal) =>
      outcomeOf(() => client({ url, service: service?.url, signal })),
    );
  };
  return {
    async reset() {
      outcomes = {};
      open.clear();
      programs.prepare(programNumbers);
      await restore();
      await service?.begin?.();
    },

    ...(service?.notes && { notes: service.notes }),

    dirty,
    restoresRows: repeats,
    stateless: definition.service === undefined,

    async perform({ name }, number) {
      const client = definition.clients[name];
      if (client === undefined) {
        throw new HarnessError(
          "SERVICE_FAILED",
          `the scenario no longer has a client "${name}": give the file with which the counterexample was found`,
        );
      }
      const outcome = "http" in client ? await send(client) : await run(client, number);
      outcomes[name] = outcome;
      if (outcome === KILLED) return responseOf(outcome);
      const left = await connectionsLeft(name, outcome, {
        sessions: () => context.sessionsOf(number),
        isBusy: () => context.isBusy(number),
      });
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
      await runAll([() => service?.stop(), () => direct.end()]);
    },
  };
}

/** The programs of clients. One may ask the service for something before it connects: then none is started ahead. */
function programsOf(
  { clients, service }: ScenarioDefinition,
  context: SystemContext,
  { file, signal }: { readonly file: URL; readonly signal: AbortSignal },
): ClientPrograms {
  const start = (number: number, url: string) => {
    const [name, client] = Object.entries(clients)[number] ?? [];
    if (name === undefined || client === undefined || !("exec" in client))
      throw new Error(`client ${number} is no program`);
    return startProgram(client, { url, file, signal, ...preloadOf(context, name) });
  };
  const { heldPort } = context;
  const openPort = async (client: number) => {
    const url = await context.urlFor(client);
    return { url, waitedMs: 0, open() {}, close() {} };
  };
  const isAhead = heldPort !== undefined && service === undefined;
  return new ClientPrograms(start, heldPort ?? openPort, { isAhead });
}

/** The restorer that the scenario defines, or a snapshot. */
async function restorerOf(
  { reset }: ScenarioDefinition,
  { directUrl, directPortUrl: url = directUrl }: SystemContext,
  query: ClientQuery,
): Promise<Pick<Restorer, "restore" | "dirty" | "repeats">> {
  if (reset === undefined) return takeSnapshot(query);
  const restore = async () => {
    await (typeof reset === "string" ? query(reset) : reset({ url, query }));
  };
  return { restore, dirty: async () => false, repeats: false };
}

/** What the preload does in the program of a client. */
function preloadOf({ freeze: time }: SystemContext, seed: string): { preload?: PreloadOptions } {
  return time === undefined ? {} : { preload: { freeze: { time, seed } } };
}
