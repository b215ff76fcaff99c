import { describe, expect, test } from "vitest";
import type { Json } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import { ClientOrder } from "../scheduler/client-order.ts";
import { cycles, friendTable, strangers } from "./graph.fixture.ts";
import { checked, execute, fine, interleaved, lost, two } from "./serial-equivalence.fixture.ts";
import { serialEquivalenceChecker } from "./serial-equivalence.ts";
import { increment, look, type Toy } from "./toy.fixture.ts";

/** The sequential specification of the counter. */
const counter: Model<number, number, Toy> = {
  init: ({ initial }) => initial,
  step: (value, { operation: { name }, response }) =>
    response?.body === value ? [name === "increment" ? value + 1 : value] : [],
};
const lax: Model<number, number, Toy> = { init: () => 0, step: () => [0] };
const strict: Model<number, number, Toy> = { init: () => 0, step: () => [] };

/** Client 1 looks after client 0 has incremented, client 2 meanwhile; client 1 gets the answer `body`. */
function backwards(body: number) {
  const scenario = { initial: 0, clients: [[increment], [look], [look]] };
  const late = interleaved(scenario, "2 0 0 0 1 1 2");
  const trace = late.trace.map((event) =>
    event.type === "return" && event.client === 1
      ? { ...event, response: { ...event.response, body } }
      : event,
  );
  return { ...late, trace };
}

describe("an execution", () => {
  test("that overlaps is accepted if a serial order has the same result", async () => {
    expect(await checked(fine)).toMatchObject({ names: [], unchecked: 0, executions: 1 });
  });

  test("whose result no serial order has is rejected", async () => {
    expect(await checked(lost)).toMatchObject({ names: ["serially-equivalent"], executions: 2 });
  });

  test("that is rejected is followed by what each order would have given", async () => {
    const checker = serialEquivalenceChecker<number, Toy>({}, undefined);
    const { violations } = await checker.check(lost, async (...given) => execute(...given));
    const row = {
      table: "counter",
      row: { value: 1 },
      execution: { value: 1 },
      order: { value: 2 },
    };
    const order = (first: number, second: number) => ({
      order: [first, second].map((client) => ({ client, operation: "increment" })),
      answers: [{ client: second, operation: "increment", execution: 0, order: 1 }],
      rows: [row],
    });
    // The first one to return comes first.
    expect(violations).toMatchObject([{ about: ["counter"], orders: [order(0, 1), order(1, 0)] }]);
    const late = await checker.check(backwards(2), async (...given) => execute(...given));
    expect(late.violations[0]?.about).toEqual([]);
  });

  test("is compared by its final rows too", async () => {
    const left = { ...fine, contents: { counter: [{ value: 1 }] } };
    expect((await checked(left)).names).toEqual(["serially-equivalent"]);
  });

  test("need not keep to real time, but each client's operations keep their order", async () => {
    expect((await checked(backwards(0))).names).toEqual([]);
    expect((await checked(backwards(2))).names).toEqual(["serially-equivalent"]);
    const one = interleaved({ initial: 0, clients: [[increment, look], [look]] }, "0 0 0 1 0 0 1");
    expect((await checked(one)).names).toEqual([]);
  });

  test("with a fault does not count as the result of a serial order", async () => {
    const checker = serialEquivalenceChecker<number, Toy>({}, undefined);
    const serial = interleaved(two, "0 0 0 1 1 1");
    const fault = { type: "fault", task: "1", fault: "terminate" } as const;
    const contents = { counter: [{ value: 1 }] };
    const faulty = { ...serial, trace: [...serial.trace, fault], contents };
    expect((await checked(faulty, checker)).names).toEqual(["serially-equivalent"]);
    expect((await checked(serial, checker)).names).toEqual([]);
    expect(
      (await checked({ ...lost, scenario: faulty.scenario, contents }, checker)).names,
    ).toEqual(["serially-equivalent"]);
  });

  test("is not checked if its final rows or an answer are unknown", async () => {
    expect((await checked({ ...fine, contents: undefined } as never)).unchecked).toBe(1);
    const trace = fine.trace.filter(({ type }) => type !== "return");
    expect((await checked({ ...fine, trace })).unchecked).toBe(1);
  });
});

test("an aborted operation is expected in no order", async () => {
  const trace = lost.trace.map((event) =>
    event.type === "return" && event.client === 1
      ? { ...event, response: { outcome: "fail", code: "ABORTED", body: null } as const }
      : event,
  );
  const it = { ...lost, trace };
  expect((await checked(it)).names).toEqual(["serially-equivalent"]);
  const checker = serialEquivalenceChecker<number, Toy>({}, undefined, ["ABORTED"]);
  expect(await checked(it, checker)).toMatchObject({ names: [], executions: 1 });
  expect(await checked(it, checker)).toMatchObject({ names: [], executions: 0 });
  expect(await checked(lost, checker)).toMatchObject({ names: ["serially-equivalent"] });
});

test("an execution with a move after an answer is not a serial order itself", async () => {
  const checker = serialEquivalenceChecker<number, Toy>({}, undefined);
  const it = interleaved(two, "0 0 0 1 1 1");
  const late = { ...it, trace: [...it.trace, ...it.trace.filter(({ type }) => type === "move")] };
  expect((await checked(late, checker)).executions).toBe(1);
});

test("an undecided pairing of ids makes the result undecided, unless another order is equal", async () => {
  const six = friendTable(strangers(24, cycles(6, 6, 6, 6)));
  const three = friendTable(strangers(24, cycles(6, 6, 6, 3, 3)));
  const ids = { friends: { a: "person", b: "person" } };
  const looks = interleaved({ initial: 0, clients: [[look], [look]] }, "0 1 0 1");
  const leaving = (...contents: readonly ReturnType<typeof friendTable>[]) => {
    const left = [...contents];
    return serialEquivalenceChecker<number, Toy>(ids, undefined).check(
      { ...looks, contents: six },
      async (scenario, scheduler) => ({
        ...execute(scenario, scheduler),
        contents: left.shift() ?? three,
      }),
    );
  };
  expect(await leaving(three, three)).toMatchObject({
    violations: [],
    undecided: "serial-equivalence: too many isomorphisms to try them all",
  });
  expect(await leaving(three, six)).toEqual({ violations: [] });
  const none = { friends: [] };
  expect((await leaving(three, none)).undecided).toBeDefined();
  expect((await leaving(none, none)).violations).toHaveLength(1);
});

describe("values that differ in each execution", () => {
  let number = 0;
  const id = () => `7f0c1c3e-9d55-4a60-8d5c-${String(++number).padStart(12, "0")}`;
  /** Answers with an id and the time; the rows have the ids of the answers, or always a new one. */
  const stamped = (it: typeof fine, rowsHave: "ids of answers" | "new ids"): typeof fine => {
    const ids: string[] = [];
    const trace = it.trace.map((event) => {
      if (event.type !== "return") return event;
      ids.push(id());
      const at = new Date(1_800_000_000_000 + number * 1000).toISOString();
      const body = { n: event.response.body, text: `made ${ids.at(-1)} at ${at}` };
      return { ...event, response: { ...event.response, body } };
    });
    const rows = (rowsHave === "new ids" ? ids.map(id) : ids).map((made) => ({ value: made }));
    return { ...it, trace, contents: { counter: [...it.contents.counter, ...rows.reverse()] } };
  };
  const check = (it: typeof fine, orders: "ids of answers" | "new ids" = "ids of answers") =>
    serialEquivalenceChecker<number, Toy>({}, undefined).check(it, async (scenario, scheduler) =>
      stamped(execute(scenario, scheduler), orders),
    );

  test("need no declaration", async () => {
    expect(await check(stamped(fine, "ids of answers"))).toEqual({ violations: [] });
  });

  test("do not hide another result", async () => {
    expect((await check(stamped(lost, "ids of answers"))).violations).toHaveLength(1);
  });

  test("have to stand where they stand in a serial order", async () => {
    expect((await check(stamped(fine, "ids of answers"), "new ids")).violations).toHaveLength(1);
    expect(await check(stamped(fine, "new ids"), "new ids")).toEqual({ violations: [] });
  });
});

describe("rows that are alike but for a random id and a time", () => {
  let number = 0;
  const random = () => (++number * 2_654_435_761) % 2 ** 32;
  const id = () => `${random().toString(16).padStart(8, "0")}-9d55-4a60-8d5c-7f0c1c3e0000`;
  /** Each answer has the id of a row; the rows come in the order of their ids. */
  const kept = (
    it: typeof fine,
    kind = "a",
    idOf = (answered: string) => answered,
  ): typeof fine => {
    const rows: { readonly value: Json }[] = [];
    const trace = it.trace.map((event) => {
      if (event.type !== "return") return event;
      const until = new Date(Date.now() + 14 * 86_400_000 + ++number).toISOString();
      const body = id();
      rows.push({ value: { id: idOf(body), kind: rows.length === 0 ? kind : "a", until } });
      return { ...event, response: { ...event.response, body } };
    });
    const sorted = rows.toSorted((a, b) =>
      JSON.stringify(a.value) < JSON.stringify(b.value) ? -1 : 1,
    );
    return { ...it, trace, contents: { counter: [...it.contents.counter, ...sorted] } };
  };
  /** How many violations there are in ten executions, whose ids come in different orders. */
  const violations = async (execution: () => typeof fine) => {
    let found = 0;
    for (let times = 0; times < 10; times++) {
      const checker = serialEquivalenceChecker<number, Toy>({}, undefined);
      const result = await checker.check(execution(), async (scenario, scheduler) =>
        scheduler instanceof ClientOrder ? kept(execute(scenario, scheduler)) : execution(),
      );
      found += result.violations.length;
    }
    return found;
  };

  test("are those of a serial order, whichever of them comes first", async () => {
    expect(await violations(() => kept(fine))).toBe(0);
  });

  test("are another result if the counter, a kind, or the ids are those of none", async () => {
    expect(await violations(() => kept(lost))).toBe(10);
    expect(await violations(() => kept(fine, "b"))).toBe(10);
    expect(await violations(() => kept(fine, "a", id))).toBe(10);
  });
});

describe("times that differ in each execution", () => {
  let passed = 0;
  const days = (count: number) =>
    new Date(Date.now() + count * 86_400_000 + ++passed).toISOString();
  /** Answers nothing, and leaves a time that depends on how often the counter was incremented. */
  const renewed = (it: typeof fine, ahead: (count: number) => string): typeof fine => {
    const count = Number(it.contents.counter[0]?.value);
    const trace = it.trace.map((event) =>
      event.type === "return" ? { ...event, response: { ...event.response, body: null } } : event,
    );
    return { ...it, trace, contents: { counter: [{ value: ahead(count) }] } };
  };
  const check = (it: typeof fine, ahead: (count: number) => string) =>
    serialEquivalenceChecker<number, Toy>({}, undefined).check(
      renewed(it, ahead),
      async (scenario, scheduler) => renewed(execute(scenario, scheduler), ahead),
    );

  test("are those of a serial order if they are as many days from now", async () => {
    expect(await check(fine, (count) => days(30 * count))).toEqual({ violations: [] });
    expect(await check(lost, () => days(0))).toEqual({ violations: [] });
  });

  test("are another result if they are not", async () => {
    expect((await check(lost, (count) => days(30 * count))).violations).toHaveLength(1);
  });

  test("are no result where chance chooses them", async () => {
    expect(await check(lost, () => days(30 * ++passed))).toEqual({ violations: [] });
  });
});

describe("short values that differ in each execution", () => {
  let number = 0;
  /** Answers with a digit besides the number, and adds a row with another one. */
  const withDigits = (it: typeof fine, digit = () => ++number % 10): typeof fine => {
    const trace = it.trace.map((event) =>
      event.type === "return"
        ? {
            ...event,
            response: { ...event.response, body: { n: event.response.body, digit: digit() } },
          }
        : event,
    );
    const rows = [{ value: digit() }, ...it.contents.counter];
    return { ...it, trace, contents: { counter: rows } };
  };
  const check = (it: typeof fine, digit?: () => number) =>
    serialEquivalenceChecker<number, Toy>({}, undefined).check(it, async (scenario, scheduler) =>
      withDigits(execute(scenario, scheduler), digit),
    );

  test("need no declaration, whatever they look like", async () => {
    expect(await check(withDigits(fine))).toEqual({ violations: [] });
  });

  test("do not hide another result, also where it is the same number", async () => {
    for (let times = 0; times < 10; times++) {
      expect((await check(withDigits(lost))).violations).toHaveLength(1);
    }
  });

  test("are results where the serial orders have the same each time", async () => {
    expect(
      (
        await check(
          withDigits(fine, () => 7),
          () => 3,
        )
      ).violations,
    ).toHaveLength(1);
    expect((await check(withDigits(fine), () => 3)).violations).toHaveLength(1);
  });
});

describe("executed orders", () => {
  test("are not executed again for the same scenario", async () => {
    const checker = serialEquivalenceChecker<number, Toy>({}, undefined);
    expect((await checked(lost, checker)).executions).toBe(2);
    expect((await checked(lost, checker)).executions).toBe(0);
    expect((await checked(interleaved({ ...two }, "0 0 1 1 0 1"), checker)).executions).toBe(2);
  });

  test("include the explored executions that are serial orders", async () => {
    const checker = serialEquivalenceChecker<number, Toy>({}, undefined);
    expect((await checked(interleaved(two, "0 0 0 1 1 1"), checker)).executions).toBe(0);
    expect((await checked(interleaved(two, "1 1 1 0 0 0"), checker)).executions).toBe(0);
    expect((await checked(lost, checker)).executions).toBe(0);
  });

  test("are limited in number: beyond the limit the result is undecided", async () => {
    const clients = Array.from({ length: 4 }, () => [increment, increment, increment]);
    const tasks = [0, 1, 2, 3].map((client) => `${client} ${client}`).join(" ");
    const many = interleaved({ initial: 0, clients }, tasks);
    const unlikely = { ...many, contents: { counter: [{ value: -1 }] } };
    const { undecided, executions } = await checked(unlikely);
    expect(undecided === undefined ? executions < 100 : executions === 100).toBe(true);
    const looks = { initial: 0, clients: Array.from({ length: 6 }, () => [look]) };
    const all = interleaved(looks, "0 1 2 3 4 5");
    const never = { ...all, contents: { counter: [{ value: 7 }] } };
    expect(await checked(never)).toMatchObject({
      undecided: "serial-equivalence: too many orders to try them all",
      executions: 100,
    });
  });
});

describe("the model", () => {
  const names = async (it: typeof fine, model: Model<number, number, Toy>) =>
    (await checked(it, serialEquivalenceChecker({}, model as Model<unknown, number, Toy>))).names;

  test("agrees when both checkers have the same result", async () => {
    expect(await names(fine, counter)).toEqual([]);
    expect(await names(lost, counter)).toEqual(["serially-equivalent"]);
  });

  test("disagrees when it accepts a result that no serial order has", async () => {
    expect(await names(lost, lax)).toEqual(["serially-equivalent", "model-agrees"]);
  });

  test("disagrees when it refuses the result of a serial order in real time", async () => {
    expect(await names(fine, strict)).toEqual(["model-agrees"]);
    expect(await names(interleaved(two, "0 0 0 1 1 1"), strict)).toEqual(["model-agrees"]);
  });

  test("agrees when it refuses the result of a serial order that is none in real time", async () => {
    expect(await names(backwards(0), counter)).toEqual([]);
  });
});
