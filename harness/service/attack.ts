import type { Event } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";

/** The deployment that an attack sends requests to. Heddle neither starts nor controls it. */
export interface Target {
  /** The URL of the deployment. */
  readonly url: string;
  /** Connection string of the database of the service, if it is known. */
  readonly databaseUrl: string | undefined;
  /** The number of concurrent requests. */
  readonly concurrency: number;
  /** The seed of all random choices. */
  readonly seed: string;
}

/** A black-box attack on a deployed service, with requests that any user may send. */
export interface Attack<State extends Json = Json, Op extends Operation = Operation> {
  readonly name: string;
  readonly description: string;
  /** The rules that a round checks. */
  readonly rules: readonly { readonly name: string; readonly description: string }[];
  /** Prepares the target. Throws HarnessError if it cannot be attacked. */
  begin(target: Target): Promise<AttackRun<State, Op>>;
}

/** The events and violations of one round of an attack. */
export interface Round<Op extends Operation = Operation> {
  /** In the order in which they happened. */
  readonly events: readonly Event<Op>[];
  /** The duration of each operation in ms; `route` says how it was sent, such as by a browser. */
  readonly latencies: readonly { readonly route: string; readonly ms: number }[];
  /** The violations that the round shows. */
  readonly violations: readonly Violation[];
}

/** A running attack. */
export interface AttackRun<State extends Json = Json, Op extends Operation = Operation> {
  /** The state before the attack, for the model; undefined if no model can check the history. */
  readonly initial: State | undefined;
  /** Performs one round, and removes what it created. `number` counts from 0. */
  round(number: number): Promise<Round<Op>>;
  /** The violations that are visible after the last round. */
  end(): Promise<readonly Violation[]>;
  /** Removes what the attack created and is still there, also after an error. */
  close(): Promise<void>;
}
