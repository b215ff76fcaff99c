import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ISOLATIONS, type Isolation } from "../core/control.ts";
import { NOTHING, type Touched } from "../core/footprint.ts";
import {
  type Footprints,
  type RequestFootprint,
  readFootprints,
} from "../footprints/footprints.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { DynamicReduction } from "../scheduler/dynamic-reduction.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { Executor } from "./executor.ts";
import { explored, WORKS, type Work } from "./reduction.fixture.ts";
import { SCENARIOS } from "./reduction-scenarios.fixture.ts";

/** Takes away some of what footprints say. */
interface Blindness {
  readonly isolation?: Isolation;
  request?(request: RequestFootprint): RequestFootprint;
}

let server: Server;
let blindness: Blindness = {};
const executors = new Map<Isolation, Executor<null, Work>>();

async function blindable(url: string, isolation: Isolation): Promise<Footprints> {
  const footprints = await readFootprints(url, isolation);
  return {
    get isolation() {
      return blindness.isolation ?? footprints.isolation;
    },
    get stale() {
      return footprints.stale;
    },
    of: (sql) => {
      const request = footprints.of(sql);
      return blindness.request?.(request) ?? request;
    },
  };
}

const without = (hidden: (touched: Touched) => Touched): Blindness => ({
  request: (request) => ({
    ...request,
    at: (place) => {
      const touched = request.at(place);
      return touched && hidden(touched);
    },
  }),
});

const withoutObject = (object: string): Blindness =>
  without(({ reads, shares, writes }) => {
    const rest = (names: ReadonlySet<string>) => new Set([...names].filter((it) => it !== object));
    return { reads: rest(reads), shares: rest(shares), writes: rest(writes) };
  });

beforeAll(async () => {
  server = await startServer(testPostgres);
  for (const isolation of ISOLATIONS) {
    const executor = await Executor.open(server, WORKS, {
      control: { gates: ["statement", "routine"], isolation },
      stepTimeoutMs: 5_000,
      signal: undefined,
      footprints: blindable,
    });
    executors.set(isolation, executor);
  }
});

beforeEach(() => {
  blindness = {};
});

afterAll(async () => {
  for (const executor of executors.values()) await executor.close();
  await server?.stop();
});

async function search(
  isolation: Isolation,
  name: string,
  scheduler: Exhaustive | DynamicReduction,
) {
  const executor = executors.get(isolation);
  const clients = SCENARIOS[name];
  if (executor === undefined || clients === undefined) throw new Error(`there is no ${name}`);
  return explored(executor, clients, scheduler);
}

/** What the full search finds, once for all tests. */
const known = new Map<string, Awaited<ReturnType<typeof search>>>();

async function inFull(isolation: Isolation, name: string) {
  const key = `${isolation}: ${name}`;
  const found = known.get(key) ?? (await search(isolation, name, new Exhaustive()));
  known.set(key, found);
  return found;
}

/** Interleavings in full; executions with reduction, and how many of these were redundant. */
const COUNTS: { readonly [name: string]: readonly [number, number, number] } = {
  "two tables": [70, 4, 1],
  "write skew": [252, 8, 3],
  "a parent and its child": [50, 8, 2],
  "a routine that loses an update": [70, 8, 2],
  "routines with nothing in common": [70, 4, 1],
  "three clients with a table each": [90, 19, 0],
  "locks in opposite orders": [151, 11, 2],
  "one that waits, and somebody else": [452, 46, 8],
  "a read-only witness": [420, 49, 10],
};

describe.each(ISOLATIONS)("with reduction under %s", (isolation) => {
  test.each(Object.keys(SCENARIOS))("each outcome is found: %s", async (name) => {
    const full = await inFull(isolation, name);
    const reduction = new DynamicReduction();
    const reduced = await search(isolation, name, reduction);
    expect(reduced.outcomes).toEqual(full.outcomes);
    expect(reduced.executions).toBeLessThan(full.executions);
    const counts = COUNTS[name];
    if (counts === undefined || isolation !== "read committed") return;
    expect([full.executions, reduced.executions, reduction.redundant]).toEqual(counts);
  });
});

describe("an outcome is missed, and would be noticed, with footprints that leave out", () => {
  test.each<[string, Isolation, string, Blindness]>([
    ["everything", "read committed", "a lost update", without(() => NOTHING)],
    [
      "foreign keys",
      "read committed",
      "a parent and its child",
      without((touched) => ({ ...touched, shares: new Set() })),
    ],
    [
      "what is read",
      "read committed",
      "a reader of two tables",
      without((touched) => ({ ...touched, reads: new Set() })),
    ],
    [
      "what a trigger writes",
      "read committed",
      "a log that a trigger writes",
      withoutObject("log"),
    ],
    [
      "what a trigger reads",
      "read committed",
      "a trigger that looks elsewhere",
      withoutObject("b"),
    ],
    [
      "what a default reads",
      "read committed",
      "a default that looks elsewhere",
      withoutObject("b"),
    ],
    ["a table with an exclusion", "read committed", "spans that overlap", withoutObject("span")],
    ["sequences", "read committed", "a sequence", withoutObject("counter")],
    [
      "advisory locks",
      "read committed",
      "an advisory lock that is tried",
      withoutObject("advisory lock 7"),
    ],
    [
      "what is done at the end",
      "read committed",
      "a trigger that looks elsewhere at the end",
      { request: (request) => ({ ...request, deferred: false }) },
    ],
    [
      "the snapshot of a transaction",
      "repeatable read",
      "a reader of two tables",
      { isolation: "read committed" },
    ],
    [
      "what SERIALIZABLE keeps track of",
      "serializable",
      "write skew",
      { isolation: "repeatable read" },
    ],
  ])("%s", async (_, isolation, name, what) => {
    const full = await inFull(isolation, name);
    blindness = what;
    const reduced = await search(isolation, name, new DynamicReduction());
    expect(full.outcomes).toEqual(expect.arrayContaining([...reduced.outcomes]));
    expect(reduced.outcomes.length).toBeLessThan(full.outcomes.length);
  });
});
