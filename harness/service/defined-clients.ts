import { HarnessError } from "../core/error.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { SystemContext } from "../execution/system.ts";
import { CLIENT_HEADER } from "./connection-owners.ts";
import { answered, identityOf } from "./defined-request.ts";
import { outcomeOfRequest } from "./http-service.ts";
import { KillableClients } from "./killable-clients.ts";
import {
  argumentsOf,
  type CallOperation,
  type DefinedOperation,
  type OperationDefinition,
  type RequestOperation,
  requestOf,
  type StatementOperation,
} from "./operation-definition.ts";
import { asJson, outcomeOf, outcomeOfLostRequest, responseOf } from "./outcome.ts";
import { References } from "./references.ts";
import { NO_ROW, type ReferencedRows, resolved } from "./row-reference.ts";
import type { ClientQuery } from "./scenario-definition.ts";
import type { AnsweredOperation, ResolvedDefinition } from "./service-definition.ts";
import type { ServiceOfFunction } from "./service-function.ts";
import { withoutCurrentTimes } from "./snapshot.ts";
import { SqlClients } from "./sql-clients.ts";

/** Nothing is sent, and nothing has happened. */
const NOT_SENT: Response = { outcome: "fail", code: NO_ROW, body: null };

export interface DefinedClientsOptions {
  readonly definition: ResolvedDefinition;
  readonly service: ServiceOfFunction | undefined;
  /** The fields that hold generated ids. */
  readonly ids: IdFields;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** The clients of a definition: they send its operations to the service, or perform them themselves. */
export class DefinedClients {
  readonly #options: DefinedClientsOptions;
  readonly #context: SystemContext;
  readonly #connections: SqlClients;
  readonly #killable: KillableClients;
  #references = new References(new Map(), {});
  #answers: AnsweredOperation[] = [];
  /** What may wait for the service, with the number of the client. One that has given up may have several. */
  readonly #unanswered = new Map<Promise<Response>, number>();

  constructor(context: SystemContext, options: DefinedClientsOptions) {
    this.#context = context;
    this.#options = options;
    this.#connections = new SqlClients(context);
    this.#killable = new KillableClients(options.signal);
  }

  /** The operations of the execution that were answered, in this order. */
  get answers(): readonly AnsweredOperation[] {
    return this.#answers;
  }

  /**
   * An execution begins.
   *
   * @param rows those that references are drawn from
   */
  begin(rows: ReferencedRows): void {
    this.#references = new References(rows, this.#options.ids);
    this.#answers = [];
  }

  /** An operation of a scenario. A client that has given up (`patience`) gets no answer. */
  async perform(
    operation: DefinedOperation,
    client: number,
    patience?: AbortSignal,
  ): Promise<Response> {
    const request = this.#references.resolve(operation, client);
    if (request === undefined) return NOT_SENT;
    const answer = this.#send(request, client);
    // A client of the database waits for no service that could be killed.
    if (!("sql" in this.#how(operation.name))) this.#unanswered.set(answer, client);
    const response = await answer;
    this.#unanswered.delete(answer);
    if (patience?.aborted) return response;
    const { code, body } = response;
    const { values } = argumentsOf(request);
    this.#answers.push({ client, operation: operation.name, arguments: values, code, body });
    this.#references.learn(client, operation, response);
    return response;
  }

  /** Performs an operation while no other is under way, with references to these rows. */
  async performAlone(operation: DefinedOperation, rows: ReferencedRows): Promise<Response> {
    const request = resolved(operation, rows, () => undefined);
    return request === undefined ? NOT_SENT : this.#send(request, 0);
  }

  async #send(operation: DefinedOperation, client: number): Promise<Response> {
    const how = this.#how(operation.name);
    const outcome =
      "http" in how
        ? this.#request(how, operation, client)
        : this.#inProcess(how, argumentsOf(operation).values, client);
    const response = answered(responseOf(await outcome), this.#options.definition);
    const { body } = response;
    const counts = how.answer && response.outcome === "ok" ? asJson<Json>(how.answer(body)) : body;
    return { ...response, body: withoutCurrentTimes(counts) };
  }

  async #request(how: RequestOperation, operation: DefinedOperation, client: number) {
    const { definition, service, signal } = this.#options;
    const http = requestOf(how, operation);
    const headers = {
      ...(service?.pools?.ownerOf && { [CLIENT_HEADER]: String(client) }),
      ...http.headers,
      ...(await identityOf(definition, operation, client)),
    };
    return outcomeOfRequest({ http: { ...http, headers } }, service?.url, signal).catch(
      (error: unknown) => outcomeOfLostRequest(error, service),
    );
  }

  /** Performs an operation that this process is the client of. */
  #inProcess(how: StatementOperation | CallOperation, values: JsonObject, client: number) {
    const { service, signal } = this.#options;
    const query: ClientQuery = (sql, parameters = []) =>
      this.#connections.execute(client, sql, parameters);
    const run =
      "sql" in how
        ? () => query(how.sql, Object.values(values))
        : () => how.call(values, { client, query, service: service?.url, signal });
    return this.#killable.outcomeOf(client, () => outcomeOf(run));
  }

  #how(name: string): OperationDefinition {
    const operation = this.#options.definition.operations[name];
    if (operation !== undefined) return operation;
    throw new HarnessError(
      "SERVICE_FAILED",
      `the service has no operation "${name}" any more: give the file with which the counterexample was found`,
    );
  }

  /** Whether a client that got no answer may send the operation again. */
  retries({ name }: DefinedOperation): boolean {
    const how = this.#how(name);
    return !("http" in how) || how.retry !== false;
  }

  /**
   * Resolves when no client waits for the service any more, which was killed. One whose statement is held at a
   * gate waits for that.
   */
  async settled(): Promise<void> {
    const waiting = [...this.#unanswered].filter(([, client]) => !this.#context.isBusy(client));
    await Promise.all(waiting.map(([answer]) => answer));
  }

  /** Kills a client: its operation has no outcome, and it goes on with another connection. */
  kill(client: number): void {
    void this.#killable.kill(client);
    this.#connections.forget(client);
  }

  /** Opens the connections that were lost. */
  warm(): Promise<void> {
    return this.#connections.warm();
  }

  stop(): Promise<void> {
    return this.#connections.stop();
  }
}
