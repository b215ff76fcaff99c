import type { Control } from "../core/control.ts";
import type { Environment } from "./campaign.ts";
import type { Tally } from "./tally.ts";

/** What Heddle decides in every execution, for the reader of a report. */
export function controlled({ gates }: Control, ordersWakes: boolean): readonly string[] {
  return [
    "The order in which statements reach the database, over all clients and connections.",
    ...(gates.includes("routine")
      ? ["The order of the statements inside PL/pgSQL functions, procedures and triggers."]
      : []),
    ...(gates.includes("row")
      ? ["When a statement writes each of its rows, after its snapshot was taken."]
      : []),
    ...(ordersWakes ? ["Which session goes first when one step ends the waits of several."] : []),
    "When each answer of the database reaches the service, so that one client at most runs inside the service at any time.",
    "When each operation is sent.",
    "The initial state, ids included: sequences restart before each execution.",
  ];
}

/** What Heddle leaves to others, for the reader of a report. */
export function uncontrolled(
  { gates, isolation }: Control,
  { postgres }: Environment,
  ordersWakes: boolean,
  whole: readonly { readonly routine: string; readonly reason: string }[],
): readonly string[] {
  const inside = gates.includes("routine")
    ? "What happens inside one statement is not interleaved with other clients, except where it waits for a lock; DO blocks and functions in other languages than PL/pgSQL are part of the statement that calls them."
    : "What happens inside one statement, and so inside a function that it calls, is not interleaved with other clients, except where it waits for a lock.";
  const victim =
    postgres.lockWaits === "pushed"
      ? "Deadlocks are resolved by PostgreSQL; its victim is the session that closed the circle."
      : "Deadlocks are resolved by PostgreSQL; which session becomes the victim depends on timing, since this server's settings cannot be changed.";
  return [
    inside,
    ...whole.map(({ routine, reason }) => `The routine ${routine} runs whole: ${reason}.`),
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
          "When one commit wakes several waiting sessions at once, PostgreSQL decides which one goes first: the processes of this server cannot be stopped from here.",
        ]),
    victim,
    "The clock: now() is the time of the machine.",
  ];
}

/** What to do about a client of which no statement came to the gate. */
export const ELSEWHERE =
  "let each client connect to the URL that it is given: a function to `url`, a program or a service " +
  "to DATABASE_URL in its environment; what goes to the database by another way cannot be driven";

/**
 * Why executions say nothing of those who went past the gate. Some of a model's operations may need no
 * database; a client of a scenario that never comes to it races with nobody.
 */
export function bypassedGate(
  { single }: { readonly single: boolean },
  { responses, statements }: Pick<Tally, "responses" | "statements">,
): string | undefined {
  const all = Object.keys(responses);
  const silent = all.filter((name) => statements[name] === undefined);
  if (silent.length === 0 || (!single && silent.length < all.length)) return undefined;
  return single
    ? `client ${silent.join(" and client ")} sent no statement that came to the gate (${ELSEWHERE})`
    : "no operation sent a statement that came to the gate (let the service connect to the URL that " +
        "`start` is given)";
}
