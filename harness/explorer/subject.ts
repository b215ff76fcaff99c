import type { Arbitrary } from "fast-check";
import type { Attack } from "../core/attack.ts";
import type { Command } from "../core/command.ts";
import type { GateLevel } from "../core/control.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Invariant } from "../core/invariant.ts";
import type { Json } from "../core/json.ts";
import type { Promised } from "../core/layers.ts";
import type { Model } from "../core/model.ts";
import type { Survivor } from "../core/mutation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Query } from "../execution/queries.ts";
import type { System, SystemContext } from "../execution/system.ts";

/** A shape of scenario in which races live, and the least share of scenarios that must have it. */
export interface Pattern<State extends Json = Json, C extends Command = Command> {
  readonly name: string;
  readonly description: string;
  /** 0 to 1. */
  readonly threshold: number;
  matches(scenario: Scenario<State, C>): boolean;
}

interface Change {
  readonly name: string;
  /** What the change is, and how it gets into code. */
  readonly story: string;
}

/** What must happen to a planted bug. */
export interface Detectable {
  /** Who must catch it: the `judge` of a violation. Others may as well. */
  readonly judge: string;
  /**
   * The least control under which it shows; `fault`: that of statements, and a fault of a connection;
   * `kill`, `crash`: the same with the service or the server killed.
   */
  readonly depth: GateLevel | "fault" | "kill" | "crash";
  /** The smallest counterexample that is known. */
  readonly smallest: {
    readonly commands: number;
    readonly preemptions: number;
    readonly faults?: number;
  };
}

/** A change that no execution can tell from the service as shipped. */
export interface Equivalent {
  /** Why it cannot. */
  readonly equivalent: string;
}

/** A planted bug: one realistic change of the service or its schema. */
export type Mutant = Change & (Detectable | Equivalent);

export interface Bounds {
  readonly minClients: number;
  readonly maxClients: number;
}

/**
 * Two clients, as a rule with a command each, in an initial state in which these get in each other's
 * way.
 */
export interface Pair<State extends Json = Json, C extends Command = Command> {
  /** Unique among the model's pairs. */
  readonly name: string;
  readonly scenario: Scenario<State, C>;
}

/** What a campaign verifies: everything about one service that the machinery has to be told. */
export interface Subject<State extends Json = Json, C extends Command = Command> {
  readonly name: string;
  /** Applies the schema to an empty database. `mutant` may change it. */
  migrate(directUrl: string, mutant: string | undefined): Promise<void>;
  /** Starts the service on a migrated database. */
  start(context: SystemContext, mutant: string | undefined): Promise<System<State, C>>;
  scenarios(bounds: Bounds): Arbitrary<Scenario<State, C>>;
  /**
   * There is just one, whose commands belong together: shrinking takes none away, and when all its
   * schedules were executed, nothing is left to do.
   */
  readonly single?: boolean;
  /** Its clients are sessions that end with each execution: what they leave open troubles nobody. */
  readonly ownSessions?: boolean;
  /** Every two of the service's commands, for searches of all their interleavings. */
  pairs?(): readonly Pair<State, C>[];
  /**
   * Scenarios with the same commands and a simpler initial state or simpler arguments, for
   * shrinking; simplest first. Clients and commands are taken away without the model's help.
   */
  simpler?(scenario: Scenario<State, C>): Iterable<Scenario<State, C>>;
  /**
   * Whether there could be such a scenario. Then shrinking makes arguments plainer without the model's
   * help too (numbers towards 0, shorter texts, arguments away), where this says so.
   */
  accepts?(scenario: Scenario<State, C>): boolean;
  readonly patterns: readonly Pattern<State, C>[];
  readonly invariants: readonly Invariant[];
  /** What the service answers, and what it leaves, when one command runs after the other. */
  readonly model?: Model<unknown, State, C>;
  /**
   * Where generated ids stand, so that executions can be compared in which they came in another
   * order; without it none are.
   */
  readonly ids?: IdFields;
  /**
   * Codes of refusals that mean that a command gave way to others and had no effect, such as a
   * serialization failure: it is not expected of any order of whole commands.
   */
  readonly aborts?: readonly string[];
  /** Invariants in SQL: each query must have no rows. They are named in violations. */
  readonly queries?: readonly Query[];
  /** Every response code that the service may give, by command name. */
  readonly codes: { readonly [command: string]: readonly string[] };
  /** What a reader is told of an answer that has none of them. */
  unexpected?(command: string, response: Response): string;
  readonly mutants: readonly Mutant[];
  /** What can be sent to a deployment of the service, to see that it does no harm. */
  readonly attacks?: readonly Attack<State, C>[];
  /** What is known of those mutants that derive from the schema and are not caught. */
  readonly survivors?: readonly Survivor[];
  /** What the service promises, and which protections its schema has for that. */
  readonly promises?: readonly Promised[];
  /** Files that an execution depends on; their hashes go into reports and replay files. */
  readonly sources: readonly URL[];
}
