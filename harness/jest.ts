import type { Json } from "./core/json.ts";
import type { Operation } from "./core/operation.ts";
import type { ScenarioDefinition } from "./service/scenario-definition.ts";
import type { Service } from "./service/service.ts";
import type { ServiceDefinition } from "./service/service-definition.ts";
import {
  ConcurrencyTests,
  type DescribeServiceOptions,
  type InterleavedOptions,
  namePattern,
} from "./test-runner.ts";

export type { DescribeServiceOptions, InterleavedOptions } from "./test-runner.ts";

/** The globals of Jest that a test file has. */
interface JestGlobals {
  describe(name: string, define: () => void): void;
  test(name: string, work: () => Promise<void>, timeoutMs: number): void;
  afterAll(work: () => Promise<void>): void;
  readonly expect: { getState(): { readonly testPath?: string } };
}

const jest = globalThis as unknown as JestGlobals;

/** Jest loads this module anew for each test file. */
const tests = new ConcurrencyTests({
  describe: (name, define) => jest.describe(name, define),
  // Jest has no signal: without one, a campaign would go on beside the next test.
  test: (name, timeout, work) => jest.test(name, () => work(AbortSignal.timeout(timeout)), timeout),
  afterAll: (work) => jest.afterAll(work),
  file: () => jest.expect.getState().testPath ?? process.cwd(),
  again: (file, path) => `npx jest ${file} -t ${namePattern(path.join(" "))}`,
});

/**
 * Defines a Jest test that explores the interleavings of a scenario (see `defineScenario`) or of a
 * service. The test passes if no executed interleaving violates a rule. It fails with the
 * counterexample, which it stores in the folder `regressions` beside the test file; the next run
 * executes it first. A campaign with the verdict `unknown` fails as well.
 *
 * ```ts
 * import { interleaved } from "heddle/jest";
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
  tests.interleaved(name, tested, options);
}

/**
 * Defines a Jest suite with one test for each pair of operations of a service definition (see
 * `defineService`), so that the reporter shows which pair races. Which pairs there are, the service itself
 * shows: the call starts it, and resolves when the tests are defined. Each test explores the interleavings
 * of its pair as `heddle verify --pairs` does, and fails as one of `interleaved` does.
 *
 * ```ts
 * import { describeService } from "heddle/jest";
 * import shop from "./shop.heddle.ts";
 *
 * await describeService(shop);
 * ```
 */
export async function describeService(
  definition: ServiceDefinition,
  options: DescribeServiceOptions = {},
): Promise<void> {
  await tests.describeService(definition, options);
}
