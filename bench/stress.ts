import { Checkers, checkersOf } from "../harness/checkers/registry.ts";
import { DEFAULTS } from "../harness/explorer/defaults.ts";
import { generator } from "../harness/explorer/generate.ts";
import { replay } from "../harness/explorer/replay.ts";
import { mutantCampaign } from "../harness/mutation/mutant-campaign.ts";
import { depthOf } from "../harness/mutation/seeded-bugs.ts";
import type { Server } from "../harness/postgres/provider.ts";
import { startServer } from "../harness/postgres/provider.ts";
import { strategyNamed } from "../harness/scheduler/strategies.ts";
import { openExecutor } from "../harness/service/open-executor.ts";
import type { SeededBug } from "../harness/service/service.ts";
import type { DefinedScenario } from "../harness/service/service-definition.ts";
import { type BenchComparison, type Benchmark, median } from "./benchmark.ts";
import { booking } from "./booking.ts";
import { UngatedSystem } from "./ungated.ts";

/** The most time for one bug, in ms. A miss counts as this time. */
const CAP_MS = 20_000;
/** How often the failing input is executed again; plain stress stops early at the cap. */
const AGAIN = { ours: 20, theirs: 100 };
const SEED = 1;

/** The result of one side for one bug. */
interface Caught {
  /** The time until the first violation; the cap if there was none. */
  readonly ms: number;
  readonly executions: number;
  readonly missed: boolean;
  /** How many executions of the failing input, of how many, failed again. */
  readonly again: { readonly failed: number; readonly of: number };
}

/** The results of both sides for one bug. */
interface BugComparison extends BenchComparison {
  readonly depth: string;
  /** Whether the bug needs a preemption. */
  readonly race: boolean;
  readonly sides: { readonly ours: Caught; readonly theirs: Caught };
}

type Side = (mutant: SeededBug) => Promise<Caught>;

/**
 * Compares the campaign of `heddle verify` with plain stress on each seeded bug. Plain stress executes
 * the pairs and generated scenarios of the same service with all clients at once and no control, on
 * the same server and with the same checkers.
 */
export async function stress(): Promise<Benchmark> {
  const server = await startServer("embedded");
  try {
    const cases: BugComparison[] = [];
    const ours = byHeddle(server);
    for (const mutant of booking.seededBugs) {
      // Plain stress injects no faults.
      if ("equivalent" in mutant || depthOf(mutant).faults.length > 0) continue;
      const sides = {
        ours: await ours(mutant),
        theirs: await byStress(server)(mutant),
      };
      const comparison = {
        name: mutant.name,
        depth: mutant.depth,
        race: mutant.smallest.preemptions > 0,
        ours: sides.ours.ms,
        theirs: sides.theirs.ms,
        ratio: sides.theirs.ms / sides.ours.ms,
        sides,
      };
      process.stderr.write(`${lineOf(comparison)}\n`);
      cases.push(comparison);
    }
    const inside = cases.filter(({ race, depth }) => race && depth !== "statement");
    const easy = cases.filter((one) => !inside.includes(one));
    const again = (side: keyof BugComparison["sides"]) =>
      Math.round(median(inside.map(({ sides }) => percentAgain(sides[side]))));
    const missed = (side: keyof BugComparison["sides"]) =>
      cases.filter(({ sides }) => sides[side].missed);
    return {
      name: "stress",
      ours: median(inside.map(({ ours }) => ours)),
      theirs: median(inside.map(({ theirs }) => theirs)),
      ratio: median(inside.map(({ ratio }) => ratio)),
      unit: "ms until caught",
      compared:
        `the median of ${inside.length} races inside functions and statements: plain stress over ` +
        `Heddle, a miss counted as ${CAP_MS / 1_000} s; what failed, failed again in ` +
        `${again("ours")} of 100 tries by Heddle, and in ${again("theirs")} by stress; of ${cases.length} bugs stress missed ` +
        `${missed("theirs").length}, Heddle ${missed("ours").length}; of the ${easy.length} others ` +
        `the medians are ${Math.round(median(easy.map(({ theirs }) => theirs)))} ms and ` +
        `${Math.round(median(easy.map(({ ours }) => ours)))} ms`,
      cases,
    };
  } finally {
    await server.stop();
  }
}

function percentAgain({ again: { failed, of } }: Caught): number {
  return of === 0 ? 0 : (100 * failed) / of;
}

function lineOf({ name, depth, sides, ratio }: BugComparison): string {
  const side = ({ ms, executions, missed, again }: Caught) =>
    `${missed ? "missed" : `${Math.round(ms)} ms`} in ${executions} (again ${again.failed}/${again.of})`;
  return `${name} (${depth}): Heddle ${side(sides.ours)}, stress ${side(sides.theirs)}, ratio ${ratio.toFixed(1)}`;
}

/** The campaign of `heddle verify`, with the gates that the bug declares. */
function byHeddle(server: Server): Side {
  const { preemptions, runs, stepTimeoutMs } = DEFAULTS;
  return async (mutant) => {
    const control = { ...DEFAULTS.control, gates: depthOf(mutant).gates };
    const limits = { stepTimeoutMs, signal: undefined };
    const { counterexample, checkers, executions, elapsedMs } = await mutantCampaign(
      server,
      booking,
      mutant.name,
      {
        ...{ seed: SEED, runs, timeMs: CAP_MS, control, ...limits },
        strategy: strategyNamed("auto", { preemptions }),
        // The input is executed again as it was found.
        shrinkTimeMs: 0,
      },
    );
    if (counterexample === null) return { ms: CAP_MS, executions, missed: true, again: NEVER };
    const executor = await openExecutor(server, booking, mutant.name, { control, ...limits });
    const scenario = counterexample.scenario as DefinedScenario;
    const { schedule } = counterexample;
    try {
      let failed = 0;
      for (let tried = 0; tried < AGAIN.ours; tried++) {
        const { violations } = await replay(executor, booking, { scenario, schedule });
        if (violations.some(({ checker }) => checkers.includes(checker))) failed++;
      }
      const again = { failed, of: AGAIN.ours };
      return { ms: elapsedMs, executions, missed: false, again };
    } finally {
      await executor.close();
    }
  };
}

const NEVER = { failed: 0, of: 0 };

function byStress(server: Server): Side {
  return async (mutant) => {
    const plain = await UngatedSystem.open(server, booking, mutant.name);
    try {
      const checkers = new Checkers(checkersOf(booking));
      const fails = async (scenario: DefinedScenario) => {
        const execution = await plain.stress(scenario);
        const checked = await checkers.check(execution, (...given) => plain.inOrder(...given));
        return checked.violations.length > 0;
      };
      const began = performance.now();
      let executions = 0;
      for (const scenario of scenarios()) {
        if (performance.now() - began >= CAP_MS) break;
        executions++;
        if (!(await fails(scenario))) continue;
        const ms = performance.now() - began;
        const again = { failed: 0, of: 0 };
        // A bug that leaves state behind restarts the service each time.
        for (const until = performance.now() + CAP_MS; again.of < AGAIN.theirs; again.of++) {
          if (performance.now() > until) break;
          if (await fails(scenario)) again.failed++;
        }
        return { ms, executions, missed: false, again };
      }
      return { ms: CAP_MS, executions, missed: true, again: NEVER };
    } finally {
      await plain.close();
    }
  };
}

/** Pairs of operations and generated scenarios in turns, without end. */
function* scenarios(): Generator<DefinedScenario, never> {
  const pairs = booking.pairs?.() ?? [];
  const input = generator(booking, DEFAULTS.bounds, SEED);
  for (let index = 0; ; index++) {
    const pair = pairs[index % pairs.length];
    if (pair !== undefined) yield pair.scenario;
    yield input(index).scenario;
  }
}
