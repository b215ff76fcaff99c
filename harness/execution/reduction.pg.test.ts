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
import { GATE_SCENARIOS, SCENARIOS } from "./reduction-scenarios.fixture.ts";

/** Hides parts of the footprints. */
interface HiddenParts {
  readonly isolation?: Isolation;
  request?(request: RequestFootprint): RequestFootprint;
}

let server: Server;
let hidden: HiddenParts = {};
const executors = new Map<Isolation, Executor<null, Work>>();
/** Those that know nothing of footprints: every step is a choice. */
const plain = new Map<Isolation, Executor<null, Work>>();

async function withHiddenParts(...given: Parameters<typeof readFootprints>): Promise<Footprints> {
  const footprints = await readFootprints(...given);
  return {
    get isolation() {
      return hidden.isolation ?? footprints.isolation;
    },
    defaultIsolation: footprints.defaultIsolation,
    weakestDefault: footprints.weakestDefault,
    get stale() {
      return footprints.stale;
    },
    get revision() {
      return footprints.revision;
    },
    holdsCommits: footprints.holdsCommits,
    gateAt: (place) => footprints.gateAt(place),
    of: (sql) => {
      const request = footprints.of(sql);
      return hidden.request?.(request) ?? request;
    },
  };
}

const without = (hide: (touched: Touched) => Touched): HiddenParts => ({
  request: (request) => ({
    ...request,
    at: (place) => {
      const touched = request.at(place);
      return touched && hide(touched);
    },
  }),
});

const withoutObject = (object: string): HiddenParts =>
  without(({ reads, shares, writes }) => {
    const others = (names: ReadonlySet<string>) =>
      new Set([...names].filter((name) => name !== object));
    return { reads: others(reads), shares: others(shares), writes: others(writes) };
  });

/** Footprints learn from requests: one that reads transaction numbers makes all later writes depend. */
async function openExecutors() {
  for (const executor of [...executors.values(), ...plain.values()]) await executor.close();
  for (const isolation of ISOLATIONS) {
    const options = {
      control: { gates: ["statement", "routine"], isolation },
      stepTimeoutMs: 5_000,
      signal: undefined,
    } as const;
    plain.set(isolation, await Executor.open(server, WORKS, options));
    const executor = await Executor.open(server, WORKS, {
      ...options,
      footprints: withHiddenParts,
    });
    executors.set(isolation, executor);
  }
}

beforeAll(async () => {
  server = await startServer(testPostgres);
  await openExecutors();
});

beforeEach(() => {
  hidden = {};
});

afterAll(async () => {
  for (const executor of [...executors.values(), ...plain.values()]) await executor.close();
  await server?.stop();
});

async function search(
  isolation: Isolation,
  name: string,
  scheduler: Exhaustive | DynamicReduction,
  from = executors,
) {
  const executor = from.get(isolation);
  const clients = SCENARIOS[name];
  if (executor === undefined || clients === undefined)
    throw new Error(`there is no scenario ${name}`);
  return explored(executor, clients, scheduler);
}

/** The results of full searches, which several tests use. */
const fullSearches = new Map<string, Awaited<ReturnType<typeof search>>>();

async function inFull(isolation: Isolation, name: string) {
  const key = `${isolation}: ${name}`;
  const full = fullSearches.get(key) ?? (await search(isolation, name, new Exhaustive(), plain));
  fullSearches.set(key, full);
  return full;
}

/**
 * Interleavings of the full search; those in which statements that touch nothing are no choices;
 * executions with reduction, and the redundant ones among them.
 */
const COUNTS: { readonly [name: string]: readonly [number, number, number, number] } = {
  "two tables": [70, 20, 4, 1],
  "write skew": [252, 70, 6, 1],
  "a parent and its child": [50, 14, 6, 0],
  "a routine that loses an update": [70, 70, 8, 2],
  "routines with nothing in common": [70, 70, 4, 1],
  "three clients with a table each": [90, 90, 19, 0],
  "locks in opposite orders": [151, 60, 10, 1],
  "a wait, and a third client": [452, 231, 40, 2],
  "a read-only witness": [420, 420, 49, 10],
};

describe.each(ISOLATIONS)("with reduction under %s", (isolation) => {
  const tags = isolation === "read committed" ? [] : ["nightly"];

  test.each(Object.keys(SCENARIOS))("each outcome is found: %s", { tags }, async (name) => {
    const full = await inFull(isolation, name);
    const reduction = new DynamicReduction();
    const reduced = await search(isolation, name, reduction);
    expect(reduced.outcomes).toEqual(full.outcomes);
    expect(reduced.executions).toBeLessThan(full.executions);
    const counts = COUNTS[name];
    if (counts === undefined || isolation !== "read committed") return;
    const { executions } = await search(isolation, name, new Exhaustive());
    expect([full.executions, executions, reduced.executions, reduction.redundant]).toEqual(counts);
  });

  // The searches with reduction leave such choices out at each level; here one level is enough.
  test.skipIf(isolation !== "read committed").each(Object.keys(SCENARIOS))(
    "each outcome is found without a choice for what touches nothing: %s",
    { tags: ["nightly"] },
    async (name) => {
      const full = await inFull(isolation, name);
      const folded = await search(isolation, name, new Exhaustive());
      expect(folded.outcomes).toEqual(full.outcomes);
      expect(folded.executions).toBeLessThanOrEqual(full.executions);
      const begins = SCENARIOS[name]?.every((sql) => sql.includes("begin"));
      if (begins) expect(folded.executions).toBeLessThan(full.executions);
    },
  );
});

describe.each([
  "read committed",
  "repeatable read",
] as const)("other gates under %s", (isolation) => {
  const tags = isolation === "read committed" ? [] : ["nightly"];

  test.each(GATE_SCENARIOS)(
    "reduction finds each outcome with the kind %s: %j",
    { tags },
    async (kind, clients) => {
      const options = {
        control: { gates: ["statement", "routine", kind], isolation },
        stepTimeoutMs: 5_000,
        signal: undefined,
      } as const;
      const every = await Executor.open(server, WORKS, options);
      const full = await explored(every, clients, new Exhaustive());
      await every.close();
      const executor = await Executor.open(server, WORKS, {
        ...options,
        footprints: readFootprints,
      });
      const folded = await explored(executor, clients, new Exhaustive());
      const reduced = await explored(executor, clients, new DynamicReduction());
      await executor.close();
      expect(folded.outcomes).toEqual(full.outcomes);
      expect(reduced.outcomes).toEqual(full.outcomes);
      expect(reduced.executions).toBeLessThanOrEqual(full.executions);
    },
  );
});

describe("clients that poll", () => {
  const looks = (number: number, sql: string) => Array.from({ length: number }, () => sql);
  const LOCKED = "select pg_try_advisory_xact_lock(7)";
  const READS = "select v from a where id = 1";

  // Which steps are choices decides how often a client may look: both searches have the same.
  test.each([
    [
      "and one that writes",
      [["update a set v = 1 where id = 1", "update b set v = 1 where id = 1"], looks(5, READS)],
    ],
    [
      "and one that holds what they try to lock",
      [
        ["begin", "select pg_advisory_xact_lock(7)", "update a set v = 1 where id = 1", "commit"],
        looks(5, LOCKED),
      ],
    ],
    [
      "and write for each other",
      [
        [...looks(3, "select v from b where id = 1"), "update a set v = 1 where id = 1"],
        [...looks(4, READS), "update b set v = 1 where id = 1"],
      ],
    ],
    [
      "and two others, of which either lets them go on",
      [
        [...looks(3, READS), "update b set v = 1 where id = 1"],
        ["select v from b where id = 1"],
        [READS],
      ],
    ],
  ])("%s: reduction finds each outcome of the fair schedules", async (_, clients) => {
    const executor = executors.get("read committed");
    if (executor === undefined) throw new Error("no executor");
    const full = new Exhaustive();
    const reduction = new DynamicReduction();
    const all = await explored(executor, clients, full);
    const reduced = await explored(executor, clients, reduction);
    expect(reduced.outcomes).toEqual(all.outcomes);
    expect([full.hasYields, reduction.hasYields]).toEqual([true, true]);
    expect(reduced.executions).toBeLessThan(all.executions);
  });
});

test("what a search learns late about footprints counts for all of it", async () => {
  const name = "transaction numbers of a block";
  const full = await inFull("read committed", name);
  // The executor of the full search has learned that numbers are read.
  await openExecutors();
  const reduced = await search("read committed", name, new DynamicReduction());
  expect(reduced.outcomes).toEqual(full.outcomes);
});

describe("an outcome is missed with footprints that leave out", () => {
  beforeAll(openExecutors);

  test.each<[string, Isolation, string, HiddenParts]>([
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
      "a trigger that reads another table",
      withoutObject("b"),
    ],
    [
      "what a default reads",
      "read committed",
      "a default that reads another table",
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
      "what is deferred to the commit",
      "read committed",
      "a deferred trigger that reads another table",
      { request: (request) => ({ ...request, deferred: false }) },
    ],
    [
      "the snapshot of a transaction",
      "repeatable read",
      "a reader of two tables",
      { isolation: "read committed" },
    ],
    ["what SERIALIZABLE tracks", "serializable", "write skew", { isolation: "repeatable read" }],
    [
      "the clock",
      "read committed",
      "the clock in a deferred trigger",
      { request: (request) => ({ ...request, readsClock: () => false }) },
    ],
    [
      "the time at which a transaction begins",
      "read committed",
      "the time at which a transaction begins",
      { request: (request) => ({ ...request, readsStart: false }) },
    ],
  ])("%s", async (_, isolation, name, what) => {
    const full = await inFull(isolation, name);
    hidden = what;
    const reduced = await search(isolation, name, new DynamicReduction());
    expect(full.outcomes).toEqual(expect.arrayContaining([...reduced.outcomes]));
    expect(reduced.outcomes.length).toBeLessThan(full.outcomes.length);
  });
});
