import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { DefinedOperation } from "./operation-definition.ts";
import type { ReferencedColumns } from "./referenced-rows.ts";
import type { ReferencedRows } from "./row-reference.ts";
import type { ClientQuery } from "./scenario-definition.ts";
import type { OutsideService } from "./service-start.ts";
import { contentsOf, type Restorer } from "./snapshot.ts";

/** A state that a prefix of operations leads to. */
export interface ReachedState {
  /** The rows that references are drawn from. */
  readonly rows: ReferencedRows;
  readonly contents: Snapshot;
}

/** One that was copied. */
interface CopiedState extends ReachedState {
  readonly restore: () => Promise<void>;
  /** That of its copy. */
  readonly number: number;
}

/** How many reached states are copied at a time. Shrinking and searches stay with one for long. */
const COPIES = 8;

export interface ReachedStatesOptions {
  readonly query: ClientQuery;
  readonly restorer: Restorer;
  readonly referenced: ReferencedColumns;
  readonly outside: OutsideService | undefined;
  /** Performs an operation while no other is under way. */
  perform(operation: DefinedOperation): Promise<Response>;
}

/**
 * Puts the database, and what the service uses besides it, into the state after a prefix of operations. The
 * operations are performed once, and their rows copied, unless nothing can be restored.
 */
export class ReachedStates {
  readonly #options: ReachedStatesOptions;
  /** By prefix, the least recently used first. */
  readonly #copied = new Map<string, CopiedState>();
  /** Prefixes that were performed once without a copy. */
  readonly #tried = new Set<string>();
  /** The rows after the setup, once they were needed. */
  #initial: Promise<Snapshot> | undefined;

  constructor(options: ReachedStatesOptions) {
    this.#options = options;
  }

  /**
   * Goes to the state after the setup.
   *
   * @throws HarnessError `USAGE` where nothing can be restored
   */
  async restore(): Promise<void> {
    if (!this.#options.restorer.repeats) {
      throw new HarnessError(
        "USAGE",
        "the role of the URL is no superuser, so rows cannot be put back while Heddle learns what the operations do: give the definition `scenarios`, or take a superuser's URL or the embedded server",
      );
    }
    await this.#begin();
  }

  /** Goes to the state after a prefix: each execution of a scenario begins there. */
  async reach(prefix: readonly DefinedOperation[]): Promise<ReachedState> {
    const { restorer, outside } = this.#options;
    const one = restorer.repeats
      ? await this.#copy(prefix)
      : { ...(await this.#perform(prefix)), restore: async () => {} };
    // Also right after the prefix: the rows are then in the same physical order as later.
    await one.restore();
    await outside?.begin?.(one.contents);
    return one;
  }

  /** The same for a prefix that is only tried: most are tried once, so that a copy comes with the second time. */
  async try(prefix: readonly DefinedOperation[]): Promise<ReferencedRows> {
    const key = JSON.stringify(prefix);
    if (this.#tried.has(key)) return (await this.reach(prefix)).rows;
    this.#tried.add(key);
    await this.restore();
    for (const operation of prefix) await this.#options.perform(operation);
    return this.#options.referenced.read();
  }

  async #copy(prefix: readonly DefinedOperation[]): Promise<CopiedState> {
    const key = JSON.stringify(prefix);
    const known = this.#copied.get(key);
    this.#copied.delete(key);
    if (known !== undefined) {
      this.#copied.set(key, known);
      return known;
    }
    const [oldest] = this.#copied.size < COPIES ? [] : this.#copied;
    if (oldest !== undefined) this.#copied.delete(oldest[0]);
    const number = oldest?.[1].number ?? this.#copied.size;
    const reached = await this.#perform(prefix);
    const { restorer } = this.#options;
    const restore = prefix.length === 0 ? restorer.restore : await restorer.copy(number);
    const one = { ...reached, restore, number };
    this.#copied.set(key, one);
    return one;
  }

  async #perform(prefix: readonly DefinedOperation[]): Promise<ReachedState> {
    const { query, referenced, perform } = this.#options;
    await this.#begin();
    for (const operation of prefix) await perform(operation);
    return { rows: await referenced.read(), contents: await contentsOf(query) };
  }

  async #begin(): Promise<void> {
    const { query, restorer, outside } = this.#options;
    await restorer.restore();
    if (outside?.begin === undefined) return;
    this.#initial ??= contentsOf(query);
    await outside.begin(await this.#initial);
  }
}
