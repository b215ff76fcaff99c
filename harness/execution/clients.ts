import type { HarnessError } from "../core/error.ts";
import type { Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { type Choice, taskOf } from "../core/schedule.ts";
import { attributed } from "./error-attribution.ts";
import type { Recording } from "./recording.ts";
import type { System } from "./system.ts";

interface Client<Op extends Operation> {
  readonly operations: readonly Op[];
  /** Which operation is next. */
  next: number;
  /** How many it has sent, repetitions included. */
  sent: number;
  /** Whether it does not know what became of the last one. */
  uncertain: boolean;
}

/** A operation that is under way. */
interface Request {
  /** The client that waits for its answer; a number of its own once that has given up. */
  owner: number;
  readonly index: number;
  readonly patience: AbortController;
}

/** Is told how operations end. */
interface Listener {
  returned(client: number): void;
  failed(error: HarnessError): void;
}

/** The clients of a scenario: each sends its operations in order, when it is told to. */
export class Clients<State extends Json, Op extends Operation> {
  readonly #clients: readonly Client<Op>[];
  readonly #system: System<State, Op>;
  readonly #recording: Recording<Op>;
  readonly #listener: Listener;
  readonly #requests = new Map<number, Request>();
  readonly #underWay = new Set<Promise<void>>();
  /** What has returned, while that is kept. */
  #kept: Map<Request, () => void> | undefined;
  /** The number that is given next to a request that goes on without its client. */
  nobody: number;

  constructor(
    { clients }: Scenario<State, Op>,
    system: System<State, Op>,
    recording: Recording<Op>,
    listener: Listener,
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
    this.nobody = clients.length;
  }

  /** Whether a operation of it is under way, or a request of that number. */
  isActive(client: number): boolean {
    return this.#requests.has(client);
  }

  /** Those with a operation under way, in order; then requests that go on without their clients. */
  active(): number[] {
    return [...this.#requests.keys()].sort((a, b) => a - b);
  }

  /** Those that wait for an answer. */
  waiting(): number[] {
    return this.active().filter((client) => client < this.#clients.length);
  }

  /** Those that can send a operation. */
  starts(): Choice[] {
    return this.#clients.flatMap(({ next, operations }, client): Choice[] =>
      !this.isActive(client) && next < operations.length
        ? [{ task: taskOf(client, 0), action: "start" }]
        : [],
    );
  }

  /** Those that can send a operation again, since they do not know what became of it. */
  retries(): Choice[] {
    return this.#clients.flatMap(({ uncertain }, client): Choice[] =>
      !this.isActive(client) && uncertain ? [{ task: taskOf(client, 0), action: "retry" }] : [],
    );
  }

  /** Sends a client's next operation, or its last one once more. */
  send(index: number, action: "start" | "retry"): void {
    const client = this.#clients[index];
    if (action === "start" && client !== undefined) client.next++;
    const operation = client?.operations[client.next - 1];
    if (client === undefined || operation === undefined) throw new Error(`client ${index} is done`);
    const request = { owner: index, index: client.sent++, patience: new AbortController() };
    client.uncertain = false;
    this.#requests.set(index, request);
    this.#recording.add({ type: "invoke", client: index, index: request.index, operation });
    const { signal } = request.patience;
    const perform = attributed(
      "the service's perform()",
      this.#system.perform(operation, index, signal),
    );
    const call = perform.then(
      (response) => this.#returned(request, response),
      (error: HarnessError) => this.#listener.failed(error),
    );
    this.#underWay.add(call);
  }

  /** What returns during `work` does so after it, in the order of the clients. */
  async inOrder(work: () => Promise<void>): Promise<void> {
    const kept = new Map<Request, () => void>();
    this.#kept = kept;
    await work();
    this.#kept = undefined;
    const byOwner = [...kept].sort(([a], [b]) => a.owner - b.owner);
    for (const [, returns] of byOwner) returns();
  }

  #returned(request: Request, response: Response): void {
    if (this.#kept !== undefined) {
      this.#kept.set(request, () => this.#returned(request, response));
      return;
    }
    const { owner } = request;
    this.#requests.delete(owner);
    this.#answer(request, response);
    this.#listener.returned(owner);
  }

  #answer({ owner, index }: Request, response: Response): void {
    const client = this.#clients[owner];
    if (client === undefined) return;
    client.uncertain = response.outcome === "info";
    this.#recording.add({ type: "return", client: owner, index, response });
  }

  /** A client waits no longer. Returns the number under which its request goes on without it. */
  giveUp(client: number): number {
    const request = this.#requests.get(client);
    if (request === undefined) throw new Error(`client ${client} waits for nothing`);
    this.#requests.delete(client);
    this.#answer(request, { outcome: "info", code: "GAVE_UP", body: null });
    request.patience.abort();
    request.owner = this.nobody++;
    this.#requests.set(request.owner, request);
    return request.owner;
  }

  /** Resolves when no operation is under way any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
