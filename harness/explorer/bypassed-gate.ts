import type { Tally } from "./tally.ts";

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
