import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { HarnessError } from "./core/error.ts";
import type { Json } from "./core/json.ts";
import type { Operation } from "./core/operation.ts";
import type { Campaign } from "./explorer/campaign.ts";
import { type VerifyOptions, verify } from "./explorer/verify.ts";
import { type Server, startServer } from "./postgres/provider.ts";
import { counterexampleText } from "./reporters/text.ts";
import { verdictSentence } from "./reporters/verdict-sentence.ts";
import { type ScenarioDefinition, scenarioProblem } from "./service/scenario-definition.ts";
import { scenarioService } from "./service/scenario-service.ts";
import type { Service } from "./service/service.ts";

/** Options of `interleaved`: those of `verify`, and these. */
export interface InterleavedOptions extends Omit<VerifyOptions, "seed" | "regressions"> {
  /** See `VerifyOptions.seed`. Default: 1. */
  readonly seed?: number;
  /** Which Postgres; see `startServer`. Default: `"auto"`. */
  readonly postgres?: string;
  /** The time limit of the test, in ms. Default: 120,000. */
  readonly timeout?: number;
}

/** A fixed seed, so that a test gives the same result on every machine. */
const SEED = 1;
const TIMEOUT_MS = 120_000;

/** The server of this test file: Vitest loads this module anew for each file. */
let server: Promise<Server> | undefined;

/**
 * Defines a Vitest test that explores the interleavings of a scenario (see `defineScenario`) or of a
 * service. The test passes if no executed interleaving violates a rule. It fails with the
 * counterexample, which it stores in the folder `regressions` beside the test file; the next run
 * executes it first. A campaign with the verdict `unknown` fails as well.
 *
 * ```ts
 * import { interleaved } from "heddle/vitest";
 *
 * interleaved("nobody overdraws", {
 *   setup: "create table accounts (balance int); insert into accounts values (100)",
 *   clients: { ada: withdraw, bob: withdraw },
 *   invariants: { "no debt": "select * from accounts where balance < 0" },
 * }, { runs: 500 });
 * ```
 */
export function interleaved<State extends Json, Op extends Operation>(
  name: string,
  tested: ScenarioDefinition | Service<State, Op>,
  options: InterleavedOptions = {},
): void {
  const { postgres = "auto", timeout = TIMEOUT_MS, ...others } = options;
  test(name, { timeout }, async ({ signal }) => {
    const file = expect.getState().testPath ?? process.cwd();
    const service = serviceOf(tested, `${basename(file)} > ${name}`, file);
    const regressions = join(dirname(file), "regressions");
    const settings = { seed: SEED, signal, ...others, regressions };
    const { campaign, error } = await verify(await leased(postgres), service, settings);
    if (error !== undefined) throw error;
    if (campaign.verdict !== "pass") throw new Error(failure(campaign, file, name));
  });
}

function serviceOf(tested: ScenarioDefinition | Service, name: string, file: string): Service {
  if ("migrate" in tested) return tested;
  const problem = scenarioProblem(tested);
  if (problem !== undefined) throw new HarnessError("USAGE", `this is not a scenario: ${problem}`);
  return scenarioService(tested, name, pathToFileURL(file)) as Service;
}

function leased(postgres: string): Promise<Server> {
  server ??= startServer(postgres);
  return server;
}

afterAll(async () => {
  await (await server)?.stop();
  server = undefined;
});

/** The verdict and the counterexamples, each with the command that runs this test again. */
function failure(campaign: Campaign, file: string, name: string): string {
  const command = `npx vitest run ${relative(process.cwd(), file)} -t ${JSON.stringify(name)}`;
  const view = { colour: false, folder: dirname(file), again: command };
  const counterexamples = campaign.counterexamples.map((c) => counterexampleText(c, view));
  return [verdictSentence(campaign), ...counterexamples].join("\n\n");
}
