import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Call } from "../core/history.ts";
import { isUnknown, type ObservedHistory } from "../core/model.ts";
import {
  bruteForce,
  observedHistory,
  queue,
  type RegisterOperation,
  register,
} from "./histories.fixture.ts";
import { type Budget, linearizability, violationsOf } from "./linearizability.ts";

const budget: Budget = { steps: 1_000_000, ms: 60_000 };
const single = { ...register, split: (it: ObservedHistory<null, RegisterOperation>) => [it] };
const checked = (it: ObservedHistory<null, RegisterOperation>) =>
  linearizability(single, it, budget);
const verdict = (...events: string[]) => checked(observedHistory(...events)).verdict;

describe("published histories", () => {
  // MIT 6.824, 2017, quiz 2, section VII.
  test("reads that overlap a write", () => {
    const read = ["0 write 100", "1 read", "2 read", "2: 0", "1: 100", "0: ok"];
    expect(verdict(...read)).toBe("ok");
    const backwards = ["0 write 200", "1 read", "1: 200", "2 read", "2: 0", "0: ok"];
    expect(verdict(...backwards)).toBe("illegal");
  });

  // Herlihy and Wing, "Linearizability", 1990, figure 1: the queue histories H1 to H4.
  test.each([
    ["ok", "0 enqueue x, 1 enqueue y, 1: ok, 0: ok, 1 dequeue, 1: x, 0 dequeue, 0: y, 0 enqueue z"],
    ["illegal", "0 enqueue x, 0: ok, 1 enqueue y, 0 dequeue, 1: ok, 0: y"],
    ["ok", "0 enqueue x, 1 dequeue, 1: x"],
    ["illegal", "0 enqueue x, 1 enqueue y, 0: ok, 1: ok, 0 dequeue, 2 dequeue, 0: y, 2: y"],
  ])("of a queue, %s: %s", (expected, events) => {
    expect(linearizability(queue, observedHistory(...events.split(", ")), budget).verdict).toBe(
      expected,
    );
  });
});

describe("real time", () => {
  test("a read returns the value that was written before it", () => {
    expect(verdict("0 write 1", "0: ok", "1 read", "1: 0")).toBe("illegal");
    expect(verdict("0 write 1", "1 read", "0: ok", "1: 0")).toBe("ok");
  });

  test("no value is read before it is written", () => {
    expect(verdict("1 read", "1: 1", "0 write 1", "0: ok")).toBe("illegal");
  });

  test("a swap happens once", () => {
    const two = ["0 cas 0 1", "1 cas 0 2"];
    expect(verdict(...two, "0: true", "1: false")).toBe("ok");
    expect(verdict(...two, "0: true", "1: true")).toBe("illegal");
    expect(verdict(...two, "0: false", "1: false")).toBe("illegal");
  });
});

describe("an operation with an unknown outcome", () => {
  test("may take effect, at any later time", () => {
    const lost = ["0 write 1", "0: ?", "1 read", "1: 0"];
    expect(verdict(...lost, "1 read", "1: 1")).toBe("ok");
    expect(verdict(...lost, "1 read", "1: 0")).toBe("ok");
  });

  test("takes effect once, and not before it was sent", () => {
    const lost = ["0 write 1", "0: ?", "1 read", "1: 1", "2 write 2", "2: ok"];
    expect(verdict(...lost, "1 read", "1: 1")).toBe("illegal");
    expect(verdict("1 read", "1: 1", "0 write 1", "0: ?")).toBe("illegal");
  });

  test("is treated alike whether it never returned or its answer was lost", () => {
    expect(verdict("0 write 1", "1 read", "1: 1")).toBe("ok");
    expect(verdict("0 write 1", "1 read", "1: 1", "2 read", "2: 0")).toBe("illegal");
  });
});

describe("the final state", () => {
  const left = (value: number, ...events: string[]) =>
    checked({ ...observedHistory(...events), final: { register: [{ value }] } }).verdict;

  test("is checked like a last read", () => {
    const concurrent = ["0 write 1", "1 write 2", "0: ok", "1: ok"];
    expect(left(1, ...concurrent)).toBe("ok");
    expect(left(2, ...concurrent)).toBe("ok");
    expect(left(3, ...concurrent)).toBe("illegal");
    expect(left(1, "0 write 1", "0: ok", "1 write 2", "1: ok")).toBe("illegal");
  });

  test("decides whether an operation of unknown outcome took effect", () => {
    expect(left(1, "0 write 1", "0: ?")).toBe("ok");
    expect(left(0, "0 write 1", "0: ?")).toBe("ok");
    expect(left(2, "0 write 1", "0: ?")).toBe("illegal");
  });
});

test("parts are checked one by one, and the one that fails first is reported", () => {
  const events = ["0 write a=1", "1 read b=", "1: 5", "0: ok", "0 read a=", "0: 7"];
  const found = linearizability(register, observedHistory(...events), budget);
  expect(found).toMatchObject({
    verdict: "illegal",
    prefix: [{ client: 1 }],
    last: { client: 1, operation: { key: "b" } },
    orders: 1,
    attempts: [{ order: [], because: "the value is 0" }],
  });
});

test("without a budget the verdict is unknown; a verdict of illegal stands", () => {
  const events = ["0 write a=1", "0: ok", "1 read b=", "1: 5"];
  const within = (steps: number) =>
    linearizability(register, observedHistory(...events), { ...budget, steps });
  expect(within(2).verdict).toBe("illegal");
  expect(within(1)).toEqual({ verdict: "unknown", why: "no order was found within 1 steps" });
  expect(violationsOf(within(1))).toEqual([]);
});

test("the violation lists each order and why it fails", () => {
  const it = observedHistory<RegisterOperation>(
    "0 write 1",
    "1 write 2",
    "0: ok",
    "1: ok",
    "2 read",
    "2: 3",
  );
  const [violation] = violationsOf(checked(it));
  expect(violation?.message).toBe(
    "no order explains the 3 operations up to the answer to client 2's read (3): all 2 fail",
  );
  expect(violationsOf(checked(it), ["ada", "bob", "cy"])[0]?.message).toContain(
    "up to the answer to client cy (3)",
  );
  const wrong = "the answer to client 2's read (3)";
  expect(violation?.evidence).toEqual([
    { after: "client 0's write (ok), client 1's write (ok)", wrong, because: "the value is 2" },
    { after: "client 1's write (ok), client 0's write (ok)", wrong, because: "the value is 1" },
  ]);
});

describe("long histories", () => {
  /** A history of `clients` on a register that performs each operation at one moment while it is pending. */
  function seen(length: number, clients: number): string[] {
    let random = 5;
    const upTo = (n: number) => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (random >> 8) % n;
    };
    const doing = Array.from({ length: clients }, (): (string | undefined)[] => []);
    const events: string[] = [];
    let value = 0;
    while (events.length < length) {
      const client = upTo(clients);
      const [sent, answer] = doing[client] ?? [];
      if (sent === undefined) {
        const text = upTo(2) === 0 ? `write ${upTo(5)}` : "read";
        doing[client] = [text];
        events.push(`${client} ${text}`);
      } else if (answer === undefined) {
        if (sent !== "read") value = Number(sent.split(" ")[1]);
        doing[client] = [sent, sent === "read" ? String(value) : "ok"];
      } else {
        doing[client] = [];
        events.push(`${client}: ${answer}`);
      }
    }
    return events;
  }

  test("are checked whatever their length", () => {
    expect(verdict(...seen(8_000, 8))).toBe("ok");
  });

  test("with one wrong answer are illegal from that answer on", () => {
    const events = seen(1_000, 8);
    const wrong = events.findIndex((it, at) => at > 800 && /: \d$/.test(it));
    const broken = events.with(wrong, `${events[wrong]?.slice(0, 3)}7`);
    const found = checked(observedHistory<RegisterOperation>(...broken));
    expect(found).toMatchObject({ verdict: "illegal", last: { returnedAt: wrong } });
  });

  test("with many unknown outcomes can exceed the budget, and are then unknown", () => {
    const lost = Array.from({ length: 24 }, (_, n) => [`${n} write ${n + 1}`, `${n}: ?`]).flat();
    const it = observedHistory<RegisterOperation>(...lost, "30 read", "30: 99");
    const given = { ...budget, steps: 10_000 };
    expect(linearizability(single, it, given).verdict).toBe("unknown");
    expect(linearizability(single, it, { steps: Number.POSITIVE_INFINITY, ms: 1 })).toEqual({
      verdict: "unknown",
      why: "no order was found within 1 ms",
    });
  });
});

describe("compared with a search of every order", () => {
  const operations = fc.oneof(
    fc.nat(2).map((value) => ({ text: `write ${value}`, answers: ["ok"] })),
    fc.constant({ text: "read", answers: ["0", "1", "2"] }),
    fc.tuple(fc.nat(2), fc.nat(2)).map((it) => ({
      text: `cas ${it.join(" ")}`,
      answers: ["true", "false"],
    })),
  );
  /** Clients with up to two operations each, with random answers. */
  const accounts = fc
    .tuple(
      fc.array(
        fc.tuple(fc.nat(2), operations, fc.nat(9)).map(([client, { text, answers }, n]) => ({
          client,
          text,
          answer: n === 0 ? "?" : (answers[n % answers.length] ?? ""),
        })),
        { minLength: 2, maxLength: 6 },
      ),
      fc.array(fc.nat(2), { maxLength: 12 }),
      fc.option(fc.nat(2), { nil: undefined }),
    )
    .map(([sent, turns, value]) => {
      const clients = [0, 1, 2].map((client) =>
        sent
          .filter((it) => it.client === client)
          .flatMap(({ text, answer }) => [`${client} ${text}`, `${client}: ${answer}`]),
      );
      const events = [...turns, 0, 1, 2].flatMap((client, at) =>
        at < turns.length ? (clients[client]?.splice(0, 1) ?? []) : (clients[client] ?? []),
      );
      const final = value === undefined ? undefined : { register: [{ value }] };
      return { ...observedHistory<RegisterOperation>(...events), final };
    });

  /** The history until a moment: calls that had not returned by then may return later. */
  const until = (it: ObservedHistory<null, RegisterOperation>, at: number) => ({
    ...it,
    final: undefined,
    calls: it.calls
      .filter(({ invokedAt }) => invokedAt <= at)
      .map((call: Call<RegisterOperation>) =>
        call.returnedAt <= at ? call : { ...call, response: undefined },
      ),
  });

  test("the verdicts are the same, and so is the shortest illegal prefix", () => {
    const seen = { ok: 0, illegal: 0, unknown: 0 };
    fc.assert(
      fc.property(accounts, (it) => {
        const found = checked(it);
        seen[found.verdict]++;
        expect(found.verdict).toBe(bruteForce(single, it) ? "ok" : "illegal");
        if (found.verdict !== "illegal") return;
        const returns = it.calls.filter((o) => !isUnknown(o)).map((o) => o.returnedAt);
        const first = returns
          .sort((a, b) => a - b)
          .find((at) => !bruteForce(single, until(it, at)));
        expect(found.last?.returnedAt).toBe(first);
      }),
      { numRuns: 3_000, seed: 7 },
    );
    expect(seen.ok).toBeGreaterThan(300);
    expect(seen.illegal).toBeGreaterThan(300);
  });
});
