import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { TraceEvent } from "../core/trace.ts";
import { withoutAborted } from "./left-out-operations.ts";
import { checked, type fine, interleaved, two } from "./serial-equivalence.fixture.ts";
import { increment, type Toy } from "./toy.fixture.ts";

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
    completion: { type: "complete" },
    openTransactions: 0,
    snapshot: {},
    contents: {},
  };
}

test("an aborted operation is left out, and the next ones take its number", () => {
  const { scenario, trace } = withoutAborted(execution(ok, victim, ok), ["ABORTED"]);
  expect(scenario.clients).toEqual([[{ name: "c0" }, { name: "c2" }], [{ name: "other" }]]);
  expect(trace).toEqual([
    ...operation(0, 0, "c0", ok),
    ...operation(0, 1, "c2", ok),
    ...operation(1, 0, "other", ok),
  ]);
});

test("without an aborted operation the execution is unchanged", () => {
  for (const response of [
    ok,
    { ...victim, code: "TAKEN" },
    { ...victim, outcome: "ok" as const },
  ]) {
    const whole = execution(ok, response);
    expect(withoutAborted(whole, ["ABORTED"])).toBe(whole);
  }
});

/** The execution in which a fault affects the operations of these clients, with that answer, and what is left. */
function affected(
  whole: typeof fine,
  clients: readonly number[],
  response: Response,
  value: number,
) {
  const trace = whole.trace.flatMap((event): TraceEvent<Toy>[] => {
    if (event.type !== "return" || !clients.includes(event.client)) return [event];
    const fault = { type: "fault", task: `${event.client}`, fault: "terminate" } as const;
    return [fault, { ...event, response }];
  });
  return { ...whole, trace, contents: { counter: [{ value }] } };
}

const failed: Response = { outcome: "fail", code: "500", status: 500, body: null };

test("an execution whose operation fails because of a fault may have its effect or not, and no other", async () => {
  const serial = interleaved(two, "0 0 0 1 1 1");
  expect((await checked(affected(serial, [1], failed, 1))).names).toEqual([]);
  expect((await checked(affected(serial, [1], failed, 2))).names).toEqual([]);
  const wrong = ["serially-equivalent"];
  expect((await checked(affected(serial, [1], failed, 3))).names).toEqual(wrong);
  const succeeded = { ...failed, outcome: "ok" } as const;
  expect((await checked(affected(serial, [1], succeeded, 2))).names).toEqual(wrong);
});

test("an execution whose only operation fails because of a fault is compared with none at all", async () => {
  const one = interleaved({ initial: 5, clients: [[increment]] }, "0 0 0");
  expect((await checked(affected(one, [0], failed, 5))).names).toEqual([]);
  expect((await checked(affected(one, [0], failed, 6))).names).toEqual([]);
  expect((await checked(affected(one, [0], failed, 7))).names).toEqual(["serially-equivalent"]);
});

test("an execution with too many operations in doubt is not checked", async () => {
  const clients = [0, 1, 2, 3];
  const scenario = { initial: 0, clients: clients.map(() => [increment]) };
  const four = interleaved(scenario, "0 0 0 1 1 1 2 2 2 3 3 3");
  expect(await checked(affected(four, clients, failed, 9))).toMatchObject({
    ...{ names: [], unchecked: 1 },
  });
});
