import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { Json } from "./core/json.ts";
import type { Operation } from "./core/operation.ts";
import type { Campaign } from "./explorer/campaign.ts";
import { type VerifyOptions, verify } from "./explorer/verify.ts";
import { type Server, startServer } from "./postgres/provider.ts";
import { counterexampleText } from "./reporters/text.ts";
import { verdictSentence } from "./reporters/verdict-sentence.ts";
import type { ScenarioDefinition } from "./service/scenario-definition.ts";
import { scenarioService } from "./service/scenario-service.ts";
import type { Service } from "./service/service.ts";

/** What a test can be told; the rest is as with `verify`. */
export interface InterleavedOptions extends Omit<VerifyOptions, "seed" | "regressions"> {
  /** See `VerifyOptions.seed`. Default: 1. */
  readonly seed?: number;
  /** Which Postgres; see `startServer`. By default what there is. */
  readonly postgres?: string;
  /** After which the test fails, in ms: a bound on what hangs. */
  readonly timeout?: number;
}

/** A fixed seed: what is red on one machine is red on every other. */
const SEED = 1;
const TIMEOUT_MS = 120_000;

/** One for each test file, since Vitest gives each a module of its own. */
let server: Promise<Server> | undefined;

/**
 * A Vitest test of what happens at the same time: a scenario (see `defineScenario`), or a model. It
 * passes when no interleaving that was executed breaks a rule. Else it fails with what happened, and
 * keeps it in the folder `regressions` beside the test's file; the next run of the test begins with
 * it. What could not be checked to the end fails too.
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
  what: ScenarioDefinition | Service<State, Op>,
  options: InterleavedOptions = {},
): void {
  const { postgres = "auto", timeout = TIMEOUT_MS, ...told } = options;
  test(name, { timeout }, async ({ signal }) => {
    const file = expect.getState().testPath ?? process.cwd();
    const service = serviceOf(what, `${basename(file)} > ${name}`, file);
    const regressions = join(dirname(file), "regressions");
    const given = { seed: SEED, signal, ...told, regressions };
    const { campaign, error } = await verify(await leased(postgres), service, given);
    if (error !== undefined) throw error;
    if (campaign.verdict !== "pass") throw new Error(failure(campaign, file, name));
  });
}

function serviceOf(what: ScenarioDefinition | Service, name: string, file: string): Service {
  return "setup" in what ? (scenarioService(what, name, pathToFileURL(file)) as Service) : what;
}

function leased(postgres: string): Promise<Server> {
  server ??= startServer(postgres);
  return server;
}

afterAll(async () => {
  await (await server)?.stop();
  server = undefined;
});

/** What happened, and how to see it again: the test begins with what it has kept. */
function failure(campaign: Campaign, file: string, name: string): string {
  const again = `npx vitest run ${relative(process.cwd(), file)} -t ${JSON.stringify(name)}`;
  const view = { colour: false, folder: dirname(file), again };
  const shown = campaign.counterexamples.map((c) => counterexampleText(c, view));
  return [verdictSentence(campaign), ...shown].join("\n\n");
}
