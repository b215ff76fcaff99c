import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type DefinedScenario,
  type Server,
  type Strategy,
  startServer,
  strategies,
  verify,
} from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { booking, createOf, scenarioOf } from "./booking.fixture.ts";
import { SLOT } from "./calendar.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres, { faults: true });
});

afterAll(() => server.stop());

type Fault = NonNullable<Parameters<typeof strategies>[0]["faults"]>[number];
type Scheduler = ReturnType<Strategy["explore"]>["scheduler"];

const KILLS = { service: ["kill-before", "kill-after"], server: ["crash"] } as const;

function random(faults: readonly Fault[]): Strategy {
  const all = strategies({ preemptions: 2, faults });
  const strategy = all.find(({ name }) => name === "random");
  if (strategy === undefined) throw new Error("there is no random strategy");
  return strategy;
}

/** For one client: one execution for each place at which the fault can strike, and one without it. */
function everyPlace(fault: Fault): Strategy {
  const explore = () => ({ executions: 50, scheduler: sweep(fault) });
  return { name: fault, description: "", injectsFaults: true, faults: [fault], explore };
}

function sweep(fault: Fault): Scheduler {
  let place = -1;
  let left = 0;
  let struck = true;
  return {
    begin() {
      if (!struck) return false;
      struck = false;
      left = ++place;
      return true;
    },
    choose: ([first]) => first as NonNullable<typeof first>,
    inject(faults) {
      const possible = faults.find(({ action }) => action === fault);
      if (struck || possible === undefined || left-- > 0) return undefined;
      struck = true;
      return possible;
    },
  };
}

async function campaign(
  strategy: Strategy,
  runs: number,
  given: {
    seed?: number;
    mutant?: string;
    scenario?: DefinedScenario;
    checkDeterminism?: boolean;
  } = {},
) {
  const { scenario, ...options } = given;
  const service = scenario ? { ...booking, scenarios: () => fc.constant(scenario) } : booking;
  const control = { gates: ["statement"], isolation: "read committed" } as const;
  const told = { seed: 1, runs, strategy, control, shrinkTimeMs: 1_000, ...options };
  return (await verify(server, service, told)).campaign;
}

/** Expects that no fault of a connection shows the seeded bug, at any place. */
async function withoutKills(mutant: string, scenario: DefinedScenario): Promise<void> {
  for (const fault of ["cut-before", "cut-after", "terminate"] as const) {
    const { verdict, counterexamples } = await campaign(everyPlace(fault), 8, { mutant, scenario });
    expect({ fault, verdict, counterexamples }).toEqual({
      fault,
      verdict: "pass",
      counterexamples: [],
    });
  }
}

test.each(["service", "server"] as const)(
  "the service without a bug passes when the %s is killed",
  { tags: ["nightly"] },
  async (struck) => {
    const { counterexamples, verdict, reason, faults } = await campaign(
      random([...KILLS[struck], "retry"]),
      24,
      { seed: 2, checkDeterminism: true },
    );
    expect(counterexamples).toEqual([]);
    expect({ verdict, reason }).toEqual({ verdict: "pass", reason: null });
    expect(Object.keys(faults)).toContain(KILLS[struck][0]);
  },
);

test("a client of the database that is held does not keep a killed service from starting again", async () => {
  const creates = [
    [createOf("create", SLOT.free.id)],
    [createOf("createDirectly", SLOT.foreignFree.id)],
  ];
  const { verdict, reason, faults } = await campaign(everyPlace("kill-before"), 8, {
    scenario: scenarioOf(...creates),
  });
  expect({ verdict, reason }).toEqual({ verdict: "pass", reason: null });
  expect(Object.keys(faults)).toEqual(["kill-before"]);
});

test("a crash that loses an acknowledged booking is found in the final state", async () => {
  const scenario = scenarioOf([createOf("create", SLOT.free.id)]);
  const mutant = "claim-answers-before-durable";
  await withoutKills(mutant, scenario);
  const { counterexamples } = await campaign(everyPlace("crash"), 8, { mutant, scenario });
  const [found] = counterexamples;
  expect(found?.schedule.entries.at(-1)).toBe("bg!crash");
  expect(found?.violations[0]).toMatchObject({
    checker: "linearizability",
    evidence: [{ after: "client 0's create (CREATED)", wrong: "the final state" }],
  });
});

test("a refund is made twice if the service is killed between the refund and its record", async () => {
  const refund = { name: "refund", as: "system:gateway" };
  const scenario = scenarioOf([refund, refund]);
  const mutant = "refund-key-in-memory";
  await withoutKills(mutant, scenario);
  const { counterexamples } = await campaign(everyPlace("kill-before"), 8, { mutant, scenario });
  const [found] = counterexamples;
  expect(found?.schedule.entries).toContain("0!kill-before");
  expect(found?.violations.map(({ checker }) => checker)).toContain("invariant");
});
