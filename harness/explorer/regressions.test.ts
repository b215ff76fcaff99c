import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Control } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import type { Schedule } from "../core/schedule.ts";
import type { Executor } from "../execution/executor.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import {
  decodeRegression,
  encodeRegression,
  RegressionFolder,
  regressionOf,
  replayRegressions,
} from "./regressions.ts";
import { doubleBooking } from "./sample-counterexample.fixture.ts";
import { executeToy, increment, look, type Toy, toyService } from "./toy.fixture.ts";

let place = "";
beforeEach(async () => {
  place = await mkdtemp(path.join(tmpdir(), "heddle-regressions-"));
});
afterEach(() => rm(place, { recursive: true }));

describe("the file of a regression", () => {
  const regression = regressionOf(doubleBooking);

  test("decoding is the inverse of encoding", () => {
    expect(decodeRegression(encodeRegression(regression), "a.json")).toEqual(regression);
  });

  test("is small, with a line for each part that can change", () => {
    const text = encodeRegression(regression);
    expect(text.length).toBeLessThan(1_500);
    expect(text).toContain('"schedule": "0*3 1*5 0*2 1 0*2"');
    expect(text).not.toContain("trace");
  });

  test("is the same in each execution, with placeholders for volatile values", () => {
    const found = (value: string) =>
      encodeRegression(
        regressionOf({
          ...doubleBooking,
          violations: [
            { checker: "invariant", name: "once", message: `job ${value} ran twice`, evidence: [] },
          ],
          volatile: [{ kind: "uuid", value }],
        }),
      );
    const text = found("7f0c1c3e-9d55-4a60-8d5c-0a4b1a0c4f11");
    expect(text).toContain("job ⟨uuid 1⟩ ran twice");
    expect(found("1b4e28ba-2fa1-41d2-883f-0016d3cca427")).toBe(text);
  });

  test("holds the executions that come first", () => {
    const { scenario, schedule } = doubleBooking;
    const after = regressionOf({ ...doubleBooking, before: [{ scenario, schedule }] });
    expect(after.before).toEqual([{ scenario, schedule }]);
    expect(decodeRegression(encodeRegression(after), "a.json")).toEqual(after);
  });

  test("of an older version is refused with how to make it anew", () => {
    const older = encodeRegression(regression).replace('"version": 2', '"version": 1');
    expect(() => decodeRegression(older, "a.json")).toThrow(/version 1.*make it anew/);
  });

  test.each([
    ["nothing", ""],
    ["something else", '{"heddle": "counterexample"}'],
    ["another version", encodeRegression(regression).replace('"version": 2', '"version": 1')],
    [
      "an earlier execution without a schedule",
      encodeRegression({ ...regression, before: [regression] }).replace(
        /("before"[\s\S]*?)"0\*3/,
        '$1"0**3',
      ),
    ],
    ["another schedule", encodeRegression(regression).replace("0*3 1*5", "0**3")],
    ["an unknown gate", encodeRegression(regression).replace('"statement"', '"thread"')],
    ["no clients", encodeRegression(regression).replace('"clients"', '"customers"')],
    ["no rule", encodeRegression(regression).replace('"checker"', '"jury"')],
  ])("is refused if it holds %s", (_, text) => {
    expect(() => decodeRegression(text, "a.json")).toThrow(HarnessError);
  });
});

describe("the folder of regressions", () => {
  test("holds a regression once; a service reads only its own", async () => {
    const folder = new RegressionFolder(path.join(place, "regressions"));
    expect(await folder.read("booking")).toEqual([]);
    const file = await folder.write(doubleBooking);
    expect(await folder.write({ ...doubleBooking, seed: 7 })).toBe(file);
    await folder.write({ ...doubleBooking, service: "other" });
    expect(await folder.read("booking")).toEqual([
      { file, regression: regressionOf(doubleBooking) },
    ]);
    expect(await readdir(folder.path)).toHaveLength(2);
    await folder.remove(file);
    expect(await folder.read("booking")).toEqual([]);
  });

  test("with an unreadable file gives an error that names the file", async () => {
    await writeFile(path.join(place, "a.json"), "{}");
    await expect(new RegressionFolder(place).read("booking")).rejects.toThrow(/a\.json/);
  });

  test.each([
    ["/p/models/booking/index.ts", "/p/models/booking/regressions"],
    ["/p/race.mjs", "/p/regressions"],
    ["/p/node_modules/heddle/models/booking/index.js", "/p/regressions/booking"],
    ["/usr/lib/models/booking/index.js", "/p/regressions/booking"],
  ])("of the service %s is %s", (file, folder) => {
    expect(RegressionFolder.of(file, "booking", "/p").path).toBe(folder);
  });
});

describe("a replayed regression", () => {
  const control: Control = { gates: ["statement"], isolation: "read committed" };
  const opened: Control[] = [];
  let closed = 0;
  const open = async (opening: Control): Promise<Executor<number, Toy>> => {
    opened.push(opening);
    const close = async () => {
      closed++;
    };
    return Object.assign(fakeExecutor(executeToy), { close });
  };
  const regressionFile = (
    name: string,
    clients: Toy[][],
    entries: string[],
    recorded = control,
  ) => {
    const schedule: Schedule = { version: 1, entries };
    const violation = { checker: "invariant", name: "no-lost-update", message: "lost" };
    const scenario = { initial: 0, clients };
    return {
      file: name,
      regression: { service: "counter", control: recorded, violation, scenario, schedule },
    };
  };

  test("fails, is fixed, or is stale", async () => {
    const lost = ["0", "0", "1", "1", "1", "0"];
    const all = [
      regressionFile("stale", [[look], [increment]], lost),
      regressionFile("fixed", [[increment], [increment]], ["0", "0", "0", "1", "1", "1"]),
      regressionFile("fails", [[increment], [increment]], lost),
    ];
    const outcomes = await replayRegressions(all, toyService(), open);
    expect(outcomes.map(({ file, outcome }) => [file, outcome])).toEqual([
      ["fails", "fails"],
      ["fixed", "fixed"],
      ["stale", "stale"],
    ]);
    expect(outcomes[0]?.replayed.violations).toHaveLength(1);
  });

  test("is executed under its own control, on one executor per control", async () => {
    opened.length = closed = 0;
    const deeper: Control = { ...control, gates: ["statement", "row"] };
    const clients = [[look]];
    const all = [
      regressionFile("a", clients, []),
      regressionFile("b", clients, [], deeper),
      regressionFile("c", clients, []),
    ];
    await replayRegressions(all, toyService(), open);
    expect(opened).toEqual([control, deeper]);
    expect(closed).toBe(2);
  });
});

test("the file of a counterexample holds its encoded regression", async () => {
  const folder = new RegressionFolder(place);
  const file = await folder.write(doubleBooking);
  expect(await readFile(file, "utf8")).toBe(encodeRegression(regressionOf(doubleBooking)));
});
