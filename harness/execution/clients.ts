import type { Command } from "../core/command.ts";
import type { HarnessError } from "../core/error.ts";
import type { Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import { type Choice, laneOf } from "../core/schedule.ts";
import { blamed } from "./blame.ts";
import type { Recording } from "./recording.ts";
import type { System } from "./system.ts";

interface Client<C extends Command> {
  readonly commands: readonly C[];
  /** Which command is next, or under way. */
  next: number;
  active: boolean;
}

/** Is told how commands end. */
interface Listener {
  returned(client: number): void;
  failed(error: HarnessError): void;
}

/** The clients of a scenario: each sends its commands in order, when it is told to. */
export class Clients<State extends Json, C extends Command> {
  readonly #clients: Client<C>[];
  readonly #system: System<State, C>;
  readonly #recording: Recording<C>;
  readonly #listener: Listener;
  readonly #underWay = new Set<Promise<void>>();

  constructor(
    { clients }: Scenario<State, C>,
    system: System<State, C>,
    recording: Recording<C>,
    listener: Listener,
  ) {
    this.#clients = clients.map((commands) => ({ commands, next: 0, active: false }));
    this.#system = system;
    this.#recording = recording;
    this.#listener = listener;
  }

  /** Whether a command of it is under way. */
  isActive(client: number): boolean {
    return this.#clients[client]?.active ?? false;
  }

  /** Those with a command under way. */
  active(): number[] {
    return [...this.#clients.keys()].filter((client) => this.isActive(client));
  }

  /** Those that can send a command. */
  starts(): Choice[] {
    return this.#clients.flatMap(({ active, next, commands }, client): Choice[] =>
      !active && next < commands.length ? [{ lane: laneOf(client, 0), action: "start" }] : [],
    );
  }

  /** Sends a client's next command. */
  start(index: number): void {
    const client = this.#clients[index];
    const command = client?.commands[client.next];
    if (client === undefined || command === undefined) throw new Error(`client ${index} is done`);
    client.active = true;
    this.#recording.add({ type: "invoke", client: index, index: client.next, command });
    const perform = blamed("perform", this.#system.perform(command, index));
    const operation = perform.then(
      (response) => this.#returned(index, client, response),
      (error: HarnessError) => this.#listener.failed(error),
    );
    this.#underWay.add(operation);
  }

  #returned(index: number, client: Client<C>, response: Response): void {
    this.#recording.add({ type: "return", client: index, index: client.next, response });
    client.active = false;
    client.next++;
    this.#listener.returned(index);
  }

  /** Resolves when no command is under way any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
