import type { Arbitrary } from "fast-check";
import type { GateName, Isolation } from "../core/control.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { unknownKey } from "../core/unknown-key.ts";
import type { Invariant } from "../core/verdict.ts";
import type { Query } from "../execution/observation.ts";
import type { System, SystemContext } from "../execution/system.ts";
import type { Attack } from "./attack.ts";
import { keysOf } from "./definition-members.ts";

/** A shape of scenarios that can race, and the share of generated scenarios that must have it. */
export interface Pattern<State extends Json = Json, Op extends Operation = Operation> {
  readonly name: string;
  /** A sentence that describes the scenarios. */
  readonly description: string;
  /** The least share of all scenarios, from 0 to 1; a campaign reports a pattern that misses it. */
  readonly threshold: number;
  matches(scenario: Scenario<State, Op>): boolean;
}

/** What must happen to a seeded bug that can be observed. */
export interface DetectableBug {
  /** The checker that must catch it: the `checker` of a violation. Others may catch it as well. */
  readonly checker: string;
  /**
   * The least control under which the bug shows. `fault`: statement gates and a fault of a connection;
   * `kill`: statement gates and a kill of the service; `crash`: statement gates and a crash of the server.
   */
  readonly depth: GateName | "fault" | "kill" | "crash";
  /** The size of the smallest known counterexample. */
  readonly smallest: {
    readonly operations: number;
    readonly preemptions: number;
    readonly faults?: number;
  };
}

/** A seeded bug that no execution can distinguish from the service without it. */
export interface EquivalentBug {
  /** Why no execution can. */
  readonly equivalent: string;
}

/** One realistic bug, planted by hand in the service or its schema. */
export type SeededBug = {
  /** Unique among the service's seeded bugs; `mutant` selects the bug by it. */
  readonly name: string;
  /** What the change is, and how such a change gets into code. */
  readonly origin: string;
} & (DetectableBug | EquivalentBug);

/** The reviewed verdict on a derived mutant that survives. */
export interface Survivor {
  /** The id of the mutant. */
  readonly id: string;
  /**
   * `equivalent`: no client of the service can observe a difference. `tested`: campaigns do not reach
   * the mutant, but a test that `reason` names fails. `gap`: clients can observe a difference, and
   * neither a campaign nor a test notices it.
   */
  readonly verdict: "equivalent" | "tested" | "gap";
  readonly reason: string;
}

/** How many clients a generated scenario has, both ends included. */
export interface Bounds {
  readonly minClients: number;
  readonly maxClients: number;
}

/** Two clients, usually with one operation each, and an initial state in which these interfere. */
export interface Pair<State extends Json = Json, Op extends Operation = Operation> {
  /** Unique among the service's pairs. */
  readonly name: string;
  readonly scenario: Scenario<State, Op>;
}

/** The description of a service: how to start it, what to send to it, and which rules it must keep. */
export interface Service<State extends Json = Json, Op extends Operation = Operation> {
  /** Reports and regressions carry it. */
  readonly name: string;
  /**
   * Applies the schema to an empty database, with the seeded bug named `mutant` if one is given. `freeze` is the
   * time of a clock that stands (see `Control.freeze`).
   */
  migrate(directUrl: string, mutant: string | undefined, freeze?: string): Promise<void>;
  /**
   * Does to a migrated database, which has its gates, what each start would do to it: starts on copies of it then find
   * it done. Default: nothing.
   */
  prepare?(directUrl: string): Promise<void>;
  /** Starts the service on a migrated database, with the seeded bug named `mutant` if one is given. */
  start(context: SystemContext, mutant: string | undefined): Promise<System<State, Op>>;
  /** Loads the code of clients in this process anew: what it keeps in memory is forgotten. */
  refresh?(): Promise<void>;
  /** Generates scenarios with a number of clients within `bounds`. */
  scenarios(bounds: Bounds): Arbitrary<Scenario<State, Op>>;
  /**
   * Whether there is only one scenario. Shrinking then removes none of its operations, and a campaign
   * ends when all of its schedules were executed.
   */
  readonly single?: boolean;
  /** Freezes the clock and seeds random numbers (see `Control.freeze`); `true`: at the time of the run. */
  readonly freeze?: true | string;
  /** The names of the clients of a single scenario. Default: they have numbers. */
  readonly clientNames?: readonly string[];
  /** The isolation level of transactions that do not set one. Default: read committed. */
  readonly isolation?: Isolation;
  /** Whether clients are sessions that end with each execution, so that one may leave a transaction open. */
  readonly ownSessions?: boolean;
  /** Whether the service is a process that the harness starts, and that may end by itself. */
  readonly ownProcess?: boolean;
  /**
   * The service, with what its system has learned of itself (see `System.profile`). A service that has
   * this is not used without.
   */
  profiled?(profile: Json): Service<State, Op>;
  /**
   * Whether findings of other operations count for themselves, with one counterexample for each finding. A
   * campaign then goes on after a violation, so that one race does not hide another. Default: false.
   */
  readonly byOperations?: boolean;
  /** What the profile found no state for. Default: nothing. */
  readonly unreached?: {
    /** The names of operations that never succeeded: no pair has them. */
    readonly operations: readonly string[];
    /** The names of pairs for which no state was found in which both operations succeed, each alone. */
    readonly pairs: readonly string[];
  };
  /** Simpler states than one, each close to it: a failing scenario is tried with them. Default: none. */
  shrunkStates?(initial: State): readonly State[];
  /** A pair for every two of the service's operations, for searches of all their interleavings. */
  pairs?(): readonly Pair<State, Op>[];
  /** Shapes of scenarios in which races live, and how often each must be generated. */
  readonly patterns: readonly Pattern<State, Op>[];
  /** Predicates over committed state, checked after each execution. */
  readonly invariants: readonly Invariant[];
  /** The sequential specification: responses and state when operations run one after the other. */
  readonly model?: Model<unknown, State, Op>;
  /**
   * The fields that hold generated ids, so that executions with ids in another order compare as equal.
   * Default: executions are not compared with serial orders.
   */
  readonly ids?: IdFields;
  /**
   * Codes of responses to an operation that was aborted in favour of others and had no effect, such as
   * a serialization failure. Serial orders are compared without the operation.
   */
  readonly aborts?: readonly string[];
  /** Invariants in SQL: each query must return no rows. Violations carry their names. */
  readonly queries?: readonly Query[];
  /** By operation name: every response code that the service may return. */
  readonly codes: { readonly [operation: string]: readonly string[] };
  /**
   * Whether a response is expected that would be a violation by its status or its code. Default: none is.
   */
  expects?(operation: string, response: Response): boolean;
  /** The message of a violation by a response with another code; undefined if it is none. */
  unexpected?(operation: string, response: Response): string | undefined;
  /** Bugs planted by hand, to measure what the checkers catch. */
  readonly seededBugs: readonly SeededBug[];
  /** Attacks on a deployment of the service. */
  readonly attacks?: readonly Attack<State, Op>[];
  /** Reviewed verdicts on the derived mutants that survive. */
  readonly survivors?: readonly Survivor[];
  /** The promises of the service, and the protections of its schema that keep them. */
  readonly promises?: readonly ServicePromise[];
  /** Options by which `heddle replay` finds the service, where its name is not enough. */
  readonly replayWith?: readonly string[];
  /** Files that an execution depends on. Reports and replay files contain their hashes. */
  readonly sources: readonly URL[];
}

const MEMBERS = keysOf<Service>({
  name: true,
  migrate: true,
  prepare: true,
  start: true,
  refresh: true,
  scenarios: true,
  single: true,
  freeze: true,
  clientNames: true,
  isolation: true,
  ownSessions: true,
  ownProcess: true,
  profiled: true,
  byOperations: true,
  unreached: true,
  shrunkStates: true,
  pairs: true,
  patterns: true,
  invariants: true,
  model: true,
  ids: true,
  aborts: true,
  queries: true,
  codes: true,
  expects: true,
  unexpected: true,
  seededBugs: true,
  attacks: true,
  survivors: true,
  promises: true,
  replayWith: true,
  sources: true,
});

/** The member of an object that no `Service` has, with the one that is meant; undefined if there is none. */
export function unknownServiceMember(service: object): string | undefined {
  return unknownKey({ ...service }, MEMBERS);
}

/** A change of a schema: the id of a derived mutant, or a replacement in the source of a routine. */
export type SchemaChange =
  | string
  | {
      readonly routine: string;
      /** Occurs once in the source. */
      readonly text: string;
      /** The replacement. */
      readonly becomes: string;
    };

/** A part of a schema that keeps a promise, such as a constraint or a lock. */
export interface Protection {
  /** Unique among the protections of its promise, and short: the head of a table's column. */
  readonly name: string;
  /** A sentence that says how it protects. */
  readonly description: string;
  /** The changes that together remove it. */
  readonly without: readonly SchemaChange[];
}

/** A promise of a service to its clients, and the protections of its schema that keep it. */
export interface ServicePromise {
  readonly name: string;
  /** The promise in one sentence. */
  readonly statement: string;
  /** The rules whose violation breaks the promise. */
  readonly rules: readonly { readonly checker: string; readonly name: string }[];
  readonly protections: readonly Protection[];
  /** The names of the pairs whose interleavings can break the promise. */
  readonly pairs: readonly string[];
}
