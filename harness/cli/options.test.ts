import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import {
  checkerNames,
  clientBounds,
  durationMs,
  faultKinds,
  observationNamed,
  positiveNumber,
  requestCount,
  seedNumber,
  seedOrCommit,
  shardOf,
  strategyName,
  workerCount,
} from "./options.ts";

const cases: {
  readonly [parser: string]: {
    readonly parse: (text: string) => unknown;
    readonly good: readonly (readonly [string, unknown])[];
    readonly bad: readonly string[];
  };
} = {
  "a positive number": {
    parse: positiveNumber,
    good: [
      ["1", 1],
      ["3000", 3_000],
      ["007", 7],
    ],
    bad: ["0", "-1", "1.5", "1e3", "0x10", "", " 1", "1 ", "many", "9007199254740993", "١"],
  },
  "a number of processes": {
    parse: workerCount,
    good: [
      ["1", 1],
      ["64", 64],
    ],
    bad: ["0", "65", "1000000", "1e9", "99999999999999999999"],
  },
  "a number of requests at once": {
    parse: requestCount,
    good: [["1000", 1_000]],
    bad: ["0", "1001", "1000000"],
  },
  "a seed, or where it comes from": {
    parse: seedOrCommit,
    good: [
      ["7", 7],
      ["from-commit", "from-commit"],
    ],
    bad: ["commit", "1.0"],
  },
  "a shard": {
    parse: shardOf,
    good: [
      ["1/1", { index: 0, of: 1 }],
      ["4/4", { index: 3, of: 4 }],
    ],
    bad: ["0/4", "5/4", "1", "1/0", "a/b", "1/2/3", ""],
  },
  "a seed": {
    parse: seedNumber,
    good: [
      ["0", 0],
      ["-1", -1],
      ["2147483647", 2_147_483_647],
      ["-2147483648", -2_147_483_648],
    ],
    bad: [
      "2147483648",
      "-2147483649",
      "1.0",
      "1e3",
      "",
      "--1",
      "+1",
      "seed",
      "99999999999999999999",
    ],
  },
  "a duration": {
    parse: durationMs,
    good: [
      ["90", 90_000],
      ["90s", 90_000],
      ["500ms", 500],
      ["10m", 600_000],
      ["1h", 3_600_000],
      ["1.5s", 1_500],
      ["0", 0],
      ["24h", 86_400_000],
    ],
    bad: ["", "s", "-1s", "1 s", "1d", "1e3", ".5s", "1.s", "90S", "ten", "600h", "9".repeat(400)],
  },
  "kinds of faults": {
    parse: faultKinds,
    good: [
      ["none", []],
      ["connection", ["cut-before", "cut-after", "cancel", "terminate", "retry"]],
      ["cancel", ["cancel"]],
      ["cut-after,cut-before", ["cut-after", "cut-before"]],
      ["server,cancel,retry", ["crash", "retry", "cancel"]],
      ["client", ["kill-client-before", "kill-client-after", "retry"]],
      ["service,server", ["kill-before", "kill-after", "retry", "crash"]],
    ],
    bad: ["", "cut", "none,cancel", "cancel,", "toString"],
  },
  "when invariants have to hold": {
    parse: (text) => observationNamed(text) ?? null,
    good: [
      ["end", null],
      ["each-commit", "each-commit"],
    ],
    bad: ["", "always", "each-commit "],
  },
  "the number of clients": {
    parse: clientBounds,
    good: [
      ["3", { minClients: 3, maxClients: 3 }],
      ["2-4", { minClients: 2, maxClients: 4 }],
      ["1-8", { minClients: 1, maxClients: 8 }],
    ],
    bad: ["0", "0-2", "4-2", "9", "1-9", "-2", "2-", "2-4-6", "2..4", "", "two", "1.5"],
  },
};

describe.each(Object.entries(cases))("%s", (_, { parse, good, bad }) => {
  test.each(good)("%s is %j", (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  test.each(bad)("%j is refused, with what to give instead", (text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
    expect(() => parse(text)).toThrow(/^Give a /);
  });
});

test("a strategy is found by its name; an unknown name lists all", () => {
  expect(strategyName("serial")).toBe("serial");
  expect(strategyName("random")).toBe("random");
  expect(() => strategyName("Random")).toThrow(InvalidArgumentError);
  expect(() => strategyName("")).toThrow("Give one of: auto, serial, exhaustive, pct, random");
});

test("checkers are given in any order", () => {
  expect(checkerNames("contract,invariant")).toEqual(["invariant", "contract"]);
  expect(() => checkerNames("contract,jury")).toThrow("Give some of: invariant,contract,");
  expect(() => checkerNames("")).toThrow(InvalidArgumentError);
});
