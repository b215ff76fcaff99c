import { HarnessError } from "../core/error.ts";
import type { Message, SpecConnection } from "./connection.ts";
import { LOST, messageText } from "./message-text.ts";
import type { Spec } from "./spec.ts";
import { tableText } from "./table.ts";

/** What a permutation is run with. */
export interface PermutationContext {
  readonly spec: Spec;
  readonly control: SpecConnection;
  /** One for each of the spec's sessions. */
  readonly sessions: readonly SpecConnection[];
  /** Takes what is to be printed. */
  readonly print: (text: string) => void;
  /** After so long a step is cancelled; after twice as long it is given up. */
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What comes before a permutation's steps. Throws HarnessError SERVICE_FAILED if some of it fails. */
export async function setUp(bench: PermutationContext): Promise<void> {
  const required = async (on: SpecConnection, sql: string, what: string) => {
    const failure = await whole(bench, on, sql, what);
    if (failure !== undefined) {
      throw new HarnessError("SERVICE_FAILED", `The ${what} failed: ${failure}`);
    }
  };
  const { spec, control, sessions } = bench;
  for (const sql of spec.setups) await required(control, sql, "setup");
  for (const [number, { name, setup }] of spec.sessions.entries()) {
    const session = sessions[number];
    if (session !== undefined && setup !== undefined) {
      await required(session, setup, `setup of session ${name}`);
    }
  }
}

/** What comes after them. That some of it fails is told, and no more. */
export async function tearDown(bench: PermutationContext): Promise<void> {
  const { spec, control, sessions } = bench;
  for (const [number, { name, teardown }] of spec.sessions.entries()) {
    const session = sessions[number];
    if (session !== undefined && teardown !== undefined) {
      await whole(bench, session, teardown, `teardown of session ${name}`);
    }
  }
  if (spec.teardown !== undefined) await whole(bench, control, spec.teardown, "teardown");
}

/** Of several statements the last one's outcome is printed. Resolves with why it failed, if so. */
async function whole(
  { control, print }: PermutationContext,
  on: SpecConnection,
  sql: string,
  what: string,
): Promise<string | undefined> {
  let last: Message | undefined;
  await on.execute(sql, (message) => {
    if (message.type !== "notice") last = message;
    else if (on !== control) print(`${on.name}: ${messageText(message.notice, "notice")}`);
  });
  if (last?.type === "rows") print(tableText(last.table));
  if (last?.type !== "error" && last?.type !== "lost") return undefined;
  const text = last.type === "lost" ? LOST.trimEnd() : messageText(last.error, "error");
  print(`${what} failed: ${text}`);
  return last.type === "lost" ? "the connection was lost" : last.error.message;
}
