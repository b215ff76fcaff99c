import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { TraceEvent } from "../core/trace.ts";
import { withoutAborted } from "./without-aborted.ts";

const ok: Response = { outcome: "ok", code: "OK", body: null };
const victim: Response = { outcome: "fail", code: "ABORTED", body: null };

function operation(client: number, index: number, name: string, response: Response): TraceEvent[] {
  return [
    { type: "invoke", client, index, operation: { name } },
    { type: "return", client, index, response },
  ];
}

function execution(...first: readonly Response[]): Execution {
  const answers = first.map((response, index) => operation(0, index, `c${index}`, response));
  return {
    scenario: {
      initial: null,
      clients: [first.map((_, index) => ({ name: `c${index}` })), [{ name: "other" }]],
    },
    schedule: { version: 1, entries: [] },
    trace: [...answers.flat(), ...operation(1, 0, "other", ok)],
    ending: { type: "complete" },
    openTransactions: 0,
    snapshot: {},
    contents: {},
  };
}

test("a operation that gave way is left out, and the next ones take its number", () => {
  const { scenario, trace } = withoutAborted(execution(ok, victim, ok), ["ABORTED"]);
  expect(scenario.clients).toEqual([[{ name: "c0" }, { name: "c2" }], [{ name: "other" }]]);
  expect(trace).toEqual([
    ...operation(0, 0, "c0", ok),
    ...operation(0, 1, "c2", ok),
    ...operation(1, 0, "other", ok),
  ]);
});

test("where none did, or it had an effect, the execution is the same", () => {
  for (const response of [
    ok,
    { ...victim, code: "TAKEN" },
    { ...victim, outcome: "ok" as const },
  ]) {
    const whole = execution(ok, response);
    expect(withoutAborted(whole, ["ABORTED"])).toBe(whole);
  }
});
