import type { Arbitrary } from "fast-check";
import type { GateLevel } from "../core/control.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Invariant } from "../core/invariant.ts";
import type { Json } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Query } from "../execution/queries.ts";
import type { System, SystemContext } from "../execution/system.ts";
import type { Attack } from "./attack.ts";
import type { Promised } from "./promise.ts";

/** A shape of scenario in which races live, and the least share of scenarios that must have it. */
export interface Pattern<State extends Json = Json, Op extends Operation = Operation> {
  readonly name: string;
  readonly description: string;
  /** 0 to 1. */
  readonly threshold: number;
  matches(scenario: Scenario<State, Op>): boolean;
}

/** What must happen to a seeded bug that can be observed. */
export interface DetectableBug {
  /** The checker that must catch it: the `checker` of a violation. Others may catch it as well. */
  readonly checker: string;
  /**
   * The least control under which it shows; `fault`: that of statements, and a fault of a connection;
   * `kill`, `crash`: the same with the service or the server killed.
   */
  readonly depth: GateLevel | "fault" | "kill" | "crash";
  /** The smallest counterexample that is known. */
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
  readonly name: string;
  /** What the change is, and how such a change gets into code. */
  readonly story: string;
} & (DetectableBug | EquivalentBug);

/** What people found out about a mutant that survives. */
export interface Survivor {
  /** Of the mutant. */
  readonly id: string;
  /**
   * `equivalent`: nobody who uses the service can see a difference. `tested`: campaigns do not
   * reach it, but a test that the reason names fails. `gap`: there is a difference, and nothing
   * notices it.
   */
  readonly verdict: "equivalent" | "tested" | "gap";
  readonly reason: string;
}

export interface Bounds {
  readonly minClients: number;
  readonly maxClients: number;
}

/**
 * Two clients, as a rule with a operation each, in an initial state in which these get in each other's
 * way.
 */
export interface Pair<State extends Json = Json, Op extends Operation = Operation> {
  /** Unique among the model's pairs. */
  readonly name: string;
  readonly scenario: Scenario<State, Op>;
}

/** What a campaign verifies: everything about one service that the machinery has to be told. */
export interface Service<State extends Json = Json, Op extends Operation = Operation> {
  readonly name: string;
  /** Applies the schema to an empty database. `mutant` may change it. */
  migrate(directUrl: string, mutant: string | undefined): Promise<void>;
  /** Starts the service on a migrated database. */
  start(context: SystemContext, mutant: string | undefined): Promise<System<State, Op>>;
  scenarios(bounds: Bounds): Arbitrary<Scenario<State, Op>>;
  /**
   * There is just one, whose operations belong together: shrinking takes none away, and when all its
   * schedules were executed, nothing is left to do.
   */
  readonly single?: boolean;
  /** Its clients are sessions that end with each execution: what they leave open troubles nobody. */
  readonly ownSessions?: boolean;
  /** Every two of the service's operations, for searches of all their interleavings. */
  pairs?(): readonly Pair<State, Op>[];
  /**
   * Scenarios with the same operations and a simpler initial state or simpler arguments, for
   * shrinking; simplest first. Clients and operations are taken away without the model's help.
   */
  simpler?(scenario: Scenario<State, Op>): Iterable<Scenario<State, Op>>;
  /**
   * Whether there could be such a scenario. Then shrinking makes arguments plainer without the model's
   * help too (numbers towards 0, shorter texts, arguments away), where this says so.
   */
  accepts?(scenario: Scenario<State, Op>): boolean;
  readonly patterns: readonly Pattern<State, Op>[];
  readonly invariants: readonly Invariant[];
  /** What the service answers, and what it leaves, when one operation runs after the other. */
  readonly model?: Model<unknown, State, Op>;
  /**
   * Where generated ids stand, so that executions can be compared in which they came in another
   * order; without it none are.
   */
  readonly ids?: IdFields;
  /**
   * Codes of refusals that mean that a operation gave way to others and had no effect, such as a
   * serialization failure: it is not expected of any order of whole operations.
   */
  readonly aborts?: readonly string[];
  /** Invariants in SQL: each query must have no rows. They are named in violations. */
  readonly queries?: readonly Query[];
  /** Every response code that the service may give, by operation name. */
  readonly codes: { readonly [operation: string]: readonly string[] };
  /** What a reader is told of an answer that has none of them. */
  unexpected?(operation: string, response: Response): string;
  readonly seededBugs: readonly SeededBug[];
  /** What can be sent to a deployment of the service, to see that it does no harm. */
  readonly attacks?: readonly Attack<State, Op>[];
  /** What is known of those mutants that derive from the schema and are not caught. */
  readonly survivors?: readonly Survivor[];
  /** What the service promises, and which protections its schema has for that. */
  readonly promises?: readonly Promised[];
  /** Files that an execution depends on; their hashes go into reports and replay files. */
  readonly sources: readonly URL[];
}
