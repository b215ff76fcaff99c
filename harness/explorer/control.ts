import type { Environment } from "../core/campaign.ts";

/** What Heddle decides in every execution, for the reader of a report. */
export const CONTROLLED: readonly string[] = [
  "The order in which statements reach the database, over all clients and connections.",
  "When each answer of the database reaches the service, so that one client at most runs inside the service at any time.",
  "When each command is sent.",
  "The initial state, ids included: sequences restart before each execution.",
];

/** What Heddle leaves to others, for the reader of a report. */
export function uncontrolled({ postgres }: Environment): readonly string[] {
  const victim =
    postgres.lockWaits === "pushed"
      ? "Deadlocks are resolved by PostgreSQL; its victim is the session that closed the circle."
      : "Deadlocks are resolved by PostgreSQL; which session becomes the victim depends on timing, since this server's settings cannot be changed.";
  return [
    "What happens inside one statement, and so inside a function that it calls, is not interleaved with other clients, except where it waits for a lock.",
    "When one commit wakes several waiting sessions at once, PostgreSQL decides which one goes first.",
    victim,
    "The clock: now() is the time of the machine.",
  ];
}
