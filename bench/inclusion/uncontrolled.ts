import { setImmediate } from "node:timers/promises";
import { Client } from "pg";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Server } from "../../harness/postgres/provider.ts";
import type { InclusionCase } from "./inclusion-case.ts";
import { InclusionSystem, type Messages, systemOf } from "./inclusion-system.ts";
import { outcomeOf } from "./outcome.ts";

/** The longest delay before a message, in ms. */
const DELAY_MS = 2;

/** A case on a database without gates: its clients run at the same time. */
export class Uncontrolled {
  readonly #system: InclusionSystem;
  readonly #operations: readonly Messages[];
  readonly #drop: () => Promise<void>;
  readonly #random: ReturnType<typeof xoroshiro128plus>;

  private constructor(
    system: InclusionSystem,
    operations: readonly Messages[],
    seed: number,
    drop: () => Promise<void>,
  ) {
    this.#system = system;
    this.#operations = operations;
    this.#random = xoroshiro128plus(seed);
    this.#drop = drop;
  }

  /** @param seed determines the delays, not what they lead to */
  static async open(server: Server, one: InclusionCase, seed: number): Promise<Uncontrolled> {
    const { url, ownerUrl, name, drop } = await server.lease();
    await systemOf(one).migrate(ownerUrl);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(
      `alter database ${name} set default_transaction_isolation = '${one.isolation}'`,
    );
    await client.end();
    const system = await InclusionSystem.open(one, { gatedUrl: url, directUrl: url });
    return new Uncontrolled(system, operationsOf(one), seed, drop);
  }

  async run(): Promise<string> {
    await this.#system.reset();
    const responses = await Promise.all(
      this.#operations.map((operation, client) =>
        this.#system.perform(operation, client, undefined, () => this.#delay()),
      ),
    );
    return outcomeOf(responses, await this.#system.observe());
  }

  /** None in one case of three. A timer of Node has a resolution of 1 ms, which is too coarse. */
  async #delay(): Promise<void> {
    const ms = uniformFloat64(this.#random) * DELAY_MS * 1.5 - DELAY_MS / 2;
    for (const until = performance.now() + ms; performance.now() < until; ) await setImmediate();
  }

  async close(): Promise<void> {
    await this.#system.stop();
    await this.#drop();
  }
}

/** One operation for each client. */
export function operationsOf({ clients }: InclusionCase): readonly Messages[] {
  return clients.map(({ protocol, messages }) => ({ name: "messages", protocol, texts: messages }));
}
