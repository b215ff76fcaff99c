import { expect, test } from "vitest";
import { type ObservedSession, untilBlocked } from "./observed-session.ts";

const IDLE: ObservedSession = { present: true, blocked: false, waits: false };
const WAITS = { ...IDLE, waits: true };
const BLOCKED = { ...WAITS, blocked: true };
const ABSENT = { ...IDLE, present: false };

/** Shows these states one after the other, and the last one from then on. */
function shows(...states: readonly ObservedSession[]): () => Promise<ObservedSession> {
  let at = 0;
  return async () => states[Math.min(at++, states.length - 1)] ?? ABSENT;
}

const never = new Promise<never>(() => {});

test.each([
  ["at once", [BLOCKED]],
  ["after a thousand looks, on a slow machine", [...Array(1_000).fill(IDLE), BLOCKED]],
  ["between two states of one look", [IDLE, WAITS, BLOCKED]],
])("a session waits %s", async (_, states) => {
  await expect(untilBlocked(shows(...states), never)).resolves.toBeUndefined();
});

test.each([
  [
    "sessions are shared: the statement ends without a wait",
    [IDLE],
    () => Promise.resolve(),
    "do not wait",
  ],
  ["the statement fails", [IDLE], () => Promise.reject(new Error("denied")), "do not wait"],
  ["the number of the session is made up", [ABSENT], () => never, "no session with the number"],
  ["the server hides who blocks whom", [WAITS, WAITS], () => never, "does not show"],
])("what is shown decides, not the time: %s", async (_, states, statement, says) => {
  await expect(untilBlocked(shows(...states), statement())).rejects.toThrow(says);
});
