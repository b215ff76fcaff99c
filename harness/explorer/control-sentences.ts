import { type Control, GATE_NAMES, GATES } from "../core/control.ts";
import type { Environment } from "./campaign.ts";
import type { Tally } from "./tally.ts";

/** The sentences of a report on what Heddle controls in every execution. */
export function controlled({ gates, freeze }: Control, ordersWakes: boolean): readonly string[] {
  return [
    ...GATE_NAMES.filter((name) => gates.includes(name)).map((name) => GATES[name].controls),
    ...(ordersWakes ? ["Which session goes first when one step ends the waits of several."] : []),
    "When each answer of the database reaches the service, so that at most one client runs inside the service at any time.",
    "When each operation is sent.",
    "The initial state, ids included: sequences restart before each execution.",
    ...(freeze === undefined
      ? []
      : [
          `The clock and the random numbers of clients in this process, and of programs and services on Node: the clock stands at ${freeze}, and a seed determines the numbers of each execution.`,
        ]),
  ];
}

/** The sentences of a report on what Heddle does not control. */
export function uncontrolled(
  { gates, isolation }: Control,
  { postgres }: Environment,
  ordersWakes: boolean,
  uninstrumented: readonly { readonly routine: string; readonly reason: string }[],
): readonly string[] {
  const inside = gates.includes("routine")
    ? "What happens inside one statement is not interleaved with other clients, except where it waits for a lock; functions in other languages than PL/pgSQL and SQL are part of the statement that calls them."
    : "What happens inside one statement, and so inside a function that it calls, is not interleaved with other clients, except where it waits for a lock.";
  const victim =
    postgres.lockWaits === "pushed"
      ? "Deadlocks are resolved by PostgreSQL; its victim is the session that closed the cycle."
      : "Deadlocks are resolved by PostgreSQL; which session becomes the victim depends on timing, since this server's settings cannot be changed.";
  return [
    inside,
    ...uninstrumented.map(
      ({ routine, reason }) => `The routine ${routine} is not instrumented: ${reason}.`,
    ),
    ...(gates.includes("row")
      ? [
          "Row gates are BEFORE ROW triggers, and a trigger can change what it watches: an UPDATE or DELETE locks its row before the pause rather than with the write, and INSERT … ON CONFLICT pauses for rows that it then does not write.",
        ]
      : []),
    ...(isolation === "read committed"
      ? []
      : [`Transactions run as ${isolation} where the service does not say otherwise.`]),
    ...(ordersWakes
      ? []
      : [
          "When one commit wakes several waiting sessions at once, PostgreSQL decides which one goes first: Heddle cannot stop the processes of this server.",
        ]),
    victim,
    "The clock: now() is the time of the machine.",
  ];
}

/** What reduction does not see. */
export const REDUCED =
  "What clients share outside the database, such as the memory of a service, and times that it takes from a clock of " +
  "its own: of statements that touch nothing in common in the database, one order stands for all, and a statement " +
  "that touches nothing shared goes on with the step before it. --no-reduction executes every order.";

/** What to do about a client whose statements bypass the gate. */
export const CONNECT_ADVICE =
  "let each client connect to the URL that it is given: a function to `url`, a program or a service " +
  "to DATABASE_URL in its environment; Heddle cannot control other connections";

/**
 * Why executions show nothing: no statement reached the gate. Some operations of a service may need
 * no database, so all of them have to bypass the gate; in a service with a single scenario one
 * client is enough, since it can race with no other.
 */
export function bypassedGate(
  { single }: { readonly single: boolean },
  { responses, statements }: Pick<Tally, "responses" | "statements">,
): string | undefined {
  const all = Object.keys(responses);
  const silent = all.filter((name) => statements[name] === undefined);
  if (silent.length === 0 || (!single && silent.length < all.length)) return undefined;
  return single
    ? `client ${silent.join(" and client ")} sent no statement that reached the gate (${CONNECT_ADVICE})`
    : "no operation sent a statement that reached the gate (let the service connect to the URL that " +
        "`start` is given)";
}
