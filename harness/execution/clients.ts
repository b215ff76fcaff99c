import type { HarnessError } from "../core/error.ts";
import type { Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { type Choice, taskOf } from "../core/schedule.ts";
import { FrozenValues, withFrozen } from "./frozen-globals.ts";
import type { Recording } from "./recording.ts";
import { attributed, type System } from "./system.ts";

interface Client<Op extends Operation> {
  readonly operations: readonly Op[];
  /** The index of its next operation. */
  next: number;
  /** The number of operations that it has sent, retries included. */
  sent: number;
  /** Whether it does not know the outcome of its last operation. */
  uncertain: boolean;
}

/** An operation that is under way. */
interface Request {
  /** The client that waits for the response; a new number once that client has given up. */
  client: number;
  readonly index: number;
  /** Is aborted when the client gives up. */
  readonly patience: AbortController;
}

/** Is called when operations end. */
interface ClientListener {
  returned(client: number): void;
  failed(error: HarnessError): void;
}

/** The clients of a scenario. Each sends its operations in order, when the scheduler chooses it. */
export class Clients<State extends Json, Op extends Operation> {
  /** The client number of the next request whose client gives up. */
  nextNumber: number;
  readonly #clients: readonly Client<Op>[];
  readonly #system: Pick<System<State, Op>, "perform" | "retries">;
  readonly #recording: Pick<Recording<Op>, "add">;
  readonly #listener: ClientListener;
  readonly #freeze: string | undefined;
  readonly #requests = new Map<number, Request>();
  readonly #underWay = new Set<Promise<void>>();
  /** The responses that `holdReturns` holds while it runs. */
  #heldReturns: Map<Request, () => void> | undefined;

  constructor(
    { clients }: Scenario<State, Op>,
    system: Pick<System<State, Op>, "perform" | "retries">,
    recording: Pick<Recording<Op>, "add">,
    listener: ClientListener,
    freeze: string | undefined,
  ) {
    this.#clients = clients.map((operations) => ({
      operations,
      next: 0,
      sent: 0,
      uncertain: false,
    }));
    this.#system = system;
    this.#recording = recording;
    this.#listener = listener;
    this.#freeze = freeze;
    this.nextNumber = clients.length;
  }

  /** Whether an operation of the client is under way, or a request under that number. */
  isActive(client: number): boolean {
    return this.#requests.has(client);
  }

  /** The numbers of all requests: of clients in order, then of those whose clients gave up. */
  active(): number[] {
    return [...this.#requests.keys()].sort((a, b) => a - b);
  }

  /** The clients that wait for a response. */
  waiting(): number[] {
    return this.active().filter((client) => client < this.#clients.length);
  }

  /** The choices of clients that can send their next operation. */
  starts(): Choice[] {
    const starts: Choice[] = [];
    for (const [client, { next, operations }] of this.#clients.entries()) {
      if (next < operations.length && !this.isActive(client)) {
        starts.push({ task: taskOf(client, 0), action: "start" });
      }
    }
    return starts;
  }

  /** The choices of clients that can send an operation again, whose outcome they do not know. */
  retries(): Choice[] {
    return this.#clients.flatMap(({ uncertain, operations, next }, client): Choice[] => {
      const last = operations[next - 1];
      if (this.isActive(client) || !uncertain || last === undefined) return [];
      const retries = this.#system.retries?.(last) ?? true;
      return retries ? [{ task: taskOf(client, 0), action: "retry" }] : [];
    });
  }

  /** Sends a client's next operation, or its last one again. */
  send(index: number, action: "start" | "retry"): void {
    const client = this.#clients[index];
    if (action === "start" && client !== undefined) client.next++;
    const operation = client?.operations[client.next - 1];
    if (client === undefined || operation === undefined) throw new Error(`client ${index} is done`);
    const request = { client: index, index: client.sent++, patience: new AbortController() };
    client.uncertain = false;
    this.#requests.set(index, request);
    this.#recording.add({ type: "invoke", client: index, index: request.index, operation });
    const perform = () => this.#system.perform(operation, index, request.patience.signal);
    const performed =
      this.#freeze === undefined
        ? perform()
        : withFrozen(new FrozenValues(this.#freeze, `${index}.${request.index}`), perform);
    const response = attributed("the service's perform()", performed);
    this.#underWay.add(
      response.then(
        (returned) => this.#returned(request, returned),
        (error: HarnessError) => this.#listener.failed(error),
      ),
    );
  }

  /** Holds the responses that arrive during `work`, and then returns them in the order of the clients. */
  async holdReturns(work: () => Promise<void>): Promise<void> {
    const held = new Map<Request, () => void>();
    this.#heldReturns = held;
    await work();
    this.#heldReturns = undefined;
    const byClient = [...held].sort(([a], [b]) => a.client - b.client);
    for (const [, returns] of byClient) returns();
  }

  #returned(request: Request, response: Response): void {
    if (this.#heldReturns !== undefined) {
      this.#heldReturns.set(request, () => this.#returned(request, response));
      return;
    }
    const { client } = request;
    this.#requests.delete(client);
    this.#record(request, response);
    this.#listener.returned(client);
  }

  #record({ client: number, index }: Request, response: Response): void {
    const client = this.#clients[number];
    if (client === undefined) return;
    client.uncertain = response.outcome === "info";
    this.#recording.add({ type: "return", client: number, index, response });
  }

  /** Ends the wait of a client. Returns the number under which its request continues. */
  giveUp(client: number): number {
    const request = this.#requests.get(client);
    if (request === undefined) throw new Error(`client ${client} waits for nothing`);
    this.#requests.delete(client);
    this.#record(request, { outcome: "info", code: "GAVE_UP", body: null });
    request.patience.abort();
    request.client = this.nextNumber++;
    this.#requests.set(request.client, request);
    return request.client;
  }

  /** Resolves once no operation is under way. */
  async drained(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
