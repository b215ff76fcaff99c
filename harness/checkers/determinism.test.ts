import { describe, expect, test } from "vitest";
import { RandomWalk } from "../scheduler/random.ts";
import { determinismChecker, isOfDeterminism } from "./determinism.ts";
import {
  executeToy,
  increment,
  look,
  type Toy,
  type ToyExecution,
  type ToyScenario,
} from "./toy.fixture.ts";

const UUIDS = ["7f0c1c3e-9d55-4a60-8d5c-0a4b1a0c4f11", "1b4e28ba-2fa1-41d2-883f-0016d3cca427"];
const scenario = { initial: 0, clients: [[increment], [look]] } as const satisfies ToyScenario;

/** Checks an execution of the counter; `changed` alters each execution. */
async function checked(
  changed: (execution: ToyExecution, number: number) => ToyExecution,
  ordersWakes = true,
) {
  let number = 0;
  const execute = (...given: Parameters<typeof executeToy>) =>
    changed(executeToy(...given), number++);
  const checker = determinismChecker<number, Toy>(ordersWakes);
  const first = execute(scenario, new RandomWalk(1));
  const result = await checker.check(first, async (...given) => execute(...given));
  return { result, executions: number };
}

const responding = (execution: ToyExecution, code: string): ToyExecution => ({
  ...execution,
  trace: execution.trace.map((event) =>
    event.type === "return" ? { ...event, response: { ...event.response, code } } : event,
  ),
});

const stating = (execution: ToyExecution, sql: string): ToyExecution => ({
  ...execution,
  trace: execution.trace.map((event) =>
    event.type === "statement" ? { ...event, statement: { sql, values: [] } } : event,
  ),
});

const leaving = (execution: ToyExecution, ...values: string[]): ToyExecution => ({
  ...execution,
  contents: { rows: values.map((value) => ({ value })) },
});

test("a schedule is executed twice, and equal executions are accepted", async () => {
  const { result, executions } = await checked((execution) => execution);
  expect(result).toEqual({ violations: [] });
  expect(executions).toBe(2);
});

describe("the checker rejects", () => {
  test.each<[string, (execution: ToyExecution, number: number) => ToyExecution]>([
    ["another statement", (it, number) => stating(it, number === 0 ? "read" : "write")],
    ["another response", (it, number) => responding(it, number === 0 ? "OK" : "NO")],
    ["another final state", (it, number) => leaving(it, String(number))],
    ["something that comes after all", (it, number) => ({ ...it, trace: it.trace.slice(number) })],
    ["an id where there was another one", (it, n) => leaving(it, UUIDS[0] ?? "", UUIDS[n] ?? "")],
    [
      "another time of the scenario's",
      (it, n) => ({ ...leaving(it, `2030-01-0${n + 1} 10:00+00`), scenario: dated }),
    ],
  ])("%s", async (_, changed) => {
    const { result } = await checked(changed);
    expect(result.violations).toMatchObject([{ name: "same-schedule-same-execution" }]);
    expect(result.violations.every(isOfDeterminism)).toBe(true);
    const [row] = result.violations[0]?.evidence ?? [];
    expect(row?.["first"]).not.toEqual(row?.["second"]);
  });
});

const dated = {
  initial: 0,
  clients: [[{ ...increment, at: "2030-01-01T10:00:00Z", to: "2030-01-02T10:00:00.000Z" }]],
};

test.each<[string, (number: number) => readonly string[]]>([
  ["the clock's time", (number) => [`2026-11-2${number} 10:20:30.${number}1234+00`]],
  ["a UUID that is new each time", (number) => [UUIDS[number] ?? "", UUIDS[number] ?? ""]],
])("the checker accepts %s", async (_, values) => {
  const { result } = await checked((it, number) => leaving(it, ...values(number)));
  expect(result).toEqual({ violations: [] });
});

test("a difference is undecided if the server decides which session is woken first", async () => {
  const { result } = await checked((it, number) => leaving(it, String(number)), false);
  expect(result.violations).toEqual([]);
  expect(result.undecided).toContain("the same schedule gave another execution");
});
