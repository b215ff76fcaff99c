import { after, describe, test } from "node:test";
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

/** Node executes each test file in a process of its own, as its main module. */
const tests = new ConcurrencyTests({
  describe: (name, define) => void describe(name, define),
  test: (name, timeout, work) => void test(name, { timeout }, ({ signal }) => work(signal)),
  afterAll: after,
  file: () => process.argv[1] ?? process.cwd(),
  again: (file, path) =>
    `node --test --test-name-pattern=${namePattern(path.at(-1) ?? "")} ${file}`,
});

/**
 * Defines a `node:test` test that explores the interleavings of a scenario (see `defineScenario`) or of a
 * service. The test passes if no executed interleaving violates a rule. It fails with the
 * counterexample, which it stores in the folder `regressions` beside the test file; the next run
 * executes it first. A campaign with the verdict `unknown` fails as well.
 *
 * ```ts
 * import { interleaved } from "heddle/node-test";
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
 * Defines a `node:test` suite with one test for each pair of operations of a service definition (see
 * `defineService`), so that the reporter shows which pair races. Which pairs there are, the service itself
 * shows: the call starts it, and resolves when the tests are defined. Each test explores the interleavings
 * of its pair as `heddle verify --pairs` does, and fails as one of `interleaved` does.
 *
 * ```ts
 * import { describeService } from "heddle/node-test";
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
