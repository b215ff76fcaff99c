import type { Event } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";

/** What is attacked: a deployment that runs already, and is not in Heddle's hands. */
export interface Target {
  readonly url: string;
  /** Past the service, if that is known. */
  readonly databaseUrl: string | undefined;
  /** How many requests at once. */
  readonly concurrency: number;
  /** The text from which all that is random derives. */
  readonly seed: string;
}

/** An attack on a deployed service: black box, by what everybody may send. */
export interface Attack<State extends Json = Json, Op extends Operation = Operation> {
  readonly name: string;
  readonly description: string;
  readonly rules: readonly { readonly name: string; readonly description: string }[];
  /** Throws HarnessError where the target cannot be attacked. */
  begin(target: Target): Promise<AttackRun<State, Op>>;
}

/** What one round gave. */
export interface Round<Op extends Operation = Operation> {
  /** In the order in which they happened. */
  readonly events: readonly Event<Op>[];
  /** How long each operation took, in ms, by the way that it went. */
  readonly latencies: readonly { readonly way: string; readonly ms: number }[];
  readonly violations: readonly Violation[];
}

/** An attack under way. */
export interface AttackRun<State extends Json = Json, Op extends Operation = Operation> {
  /** What there was before it, for the model; undefined where no model can checker it. */
  readonly initial: State | undefined;
  /** One round; `number` counts from 0. It cleans up what it made. */
  round(number: number): Promise<Round<Op>>;
  /** What is wrong when all is over. */
  end(): Promise<readonly Violation[]>;
  /** Takes back whatever is still there of what it made, however it ended. */
  close(): Promise<void>;
}
