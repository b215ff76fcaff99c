import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HarnessError } from "./core/error.ts";
import type { Json } from "./core/json.ts";
import type { Operation } from "./core/operation.ts";
import type { Campaign } from "./explorer/campaign.ts";
import { controlFor, DEFAULTS } from "./explorer/defaults.ts";
import { type ProfiledService, withProfile } from "./explorer/profiled-service.ts";
import { type VerifyOptions, verify } from "./explorer/verify.ts";
import { type Server, startServer } from "./postgres/provider.ts";
import { quantity } from "./reporters/format-values.ts";
import { counterexampleText } from "./reporters/text.ts";
import { verdictSentence } from "./reporters/verdict-sentence.ts";
import { definedService } from "./service/defined-service.ts";
import { type ScenarioDefinition, scenarioProblem } from "./service/scenario-definition.ts";
import { scenarioService } from "./service/scenario-service.ts";
import type { Service } from "./service/service.ts";
import { type ServiceDefinition, serviceDefinitionProblem } from "./service/service-definition.ts";

/** What a test runner offers to a test file, and what it knows about one. */
export interface TestRunner {
  describe(name: string, define: () => void): void;
  test(
    name: string,
    timeoutMs: number,
    /** @param signal is aborted at the time limit */
    work: (signal: AbortSignal) => Promise<void>,
  ): void;
  /** Called at the top level of a test file. */
  afterAll(work: () => Promise<void>): void;
  /** The path of the test file that is loaded or executed now. */
  file(): string;
  /** The command that runs a test again, given the names of its suites and its own. */
  again(file: string, path: readonly string[]): string;
}

/** Options of `interleaved`: those of `verify`, and these. */
export interface InterleavedOptions extends Omit<VerifyOptions, "seed" | "regressions"> {
  /** See `VerifyOptions.seed`. Default: 1. */
  readonly seed?: number;
  /** Which Postgres; see `startServer`. Default: `"auto"`. */
  readonly postgres?: string;
  /** The time limit of a test, in ms. Default: 120,000. */
  readonly timeout?: number;
}

/** Options of `describeService`: those of `interleaved`, and this one. */
export interface DescribeServiceOptions extends Omit<InterleavedOptions, "pairs" | "workers"> {
  /** The file of the definition: its paths are relative to it. Default: the test file. */
  readonly file?: string | URL;
}

/** A fixed seed, so that a test gives the same result on every machine. */
const SEED = 1;
const TIMEOUT_MS = 120_000;

/** The two ways to define tests, for one test runner and one test file at a time. */
export class ConcurrencyTests {
  readonly #runner: TestRunner;
  /** By the choice that tests made (see `startServer`). */
  readonly #servers = new Map<string, Promise<Server>>();

  constructor(runner: TestRunner) {
    this.#runner = runner;
    runner.afterAll(async () => {
      const servers = [...this.#servers.values()];
      this.#servers.clear();
      // A server that could not be started has failed its tests.
      const stop = (server: Promise<Server>) =>
        server.then(
          (one) => one.stop(),
          () => {},
        );
      await Promise.all(servers.map(stop));
    });
  }

  /** One test for one scenario or service. */
  interleaved<State extends Json, Op extends Operation>(
    name: string,
    tested: ScenarioDefinition | Service<State, Op>,
    options: InterleavedOptions,
  ): void {
    this.#test(name, [name], options, (fullName, file) => serviceOf(tested, fullName, file));
  }

  /** One test for each pair of operations of a definition. */
  async describeService(
    definition: ServiceDefinition,
    options: DescribeServiceOptions,
  ): Promise<void> {
    const problem = serviceDefinitionProblem(definition);
    if (problem !== undefined) throw new HarnessError("USAGE", `this is not a service: ${problem}`);
    const { file = this.#runner.file(), ...others } = options;
    const url = file instanceof URL ? file : pathToFileURL(pathOf(file));
    const suite = definition.name ?? basename(fileURLToPath(url));
    const service = definedService(definition, suite, url);
    const server = await this.#serverFor(options.postgres);
    const profiled = await withProfile(server, service, undefined, {
      control: controlFor(service, options.control),
      stepTimeoutMs: options.stepTimeoutMs ?? DEFAULTS.stepTimeoutMs,
      signal: options.signal,
    });
    const { profiled: _, unreached, ...learned } = profiled.service;
    const pairs = learned.pairs?.() ?? [];
    if (pairs.length === 0) throw noPairs(suite, profiled);
    process.stderr.write(`${suite}: ${foundSentence(pairs.length, profiled)}\n`);
    this.#runner
      .describe(suite, () => {
        for (const operation of unreached?.operations ?? []) {
          this.#runner.test(`${operation} succeeds once`, TIMEOUT_MS, () =>
            Promise.reject(new Error(neverSucceeded(operation))),
          );
        }
        for (const pair of pairs) {
          const settings = { failFast: true, ...others, pairs: true };
          this.#test(pair.name, [suite, pair.name], settings, (name) => ({
            ...learned,
            name,
            pairs: () => [pair],
          }));
        }
      });
  }

  /**
   * @param path the names of the suites and of the test
   * @param serviceFor the service, of that name, for tests in the file
   */
  #test<State extends Json, Op extends Operation>(
    name: string,
    path: readonly string[],
    options: InterleavedOptions,
    serviceFor: (name: string, file: string) => Service<State, Op>,
  ): void {
    const { postgres, timeout = TIMEOUT_MS, ...others } = options;
    this.#runner.test(name, timeout, async (signal) => {
      const file = this.#runner.file();
      const service = serviceFor([basename(file), ...path].join(" > "), file);
      const regressions = join(dirname(file), "regressions");
      const ends = others.signal === undefined ? signal : AbortSignal.any([signal, others.signal]);
      const settings = { seed: SEED, ...others, signal: ends, regressions };
      const { campaign, error } = await verify(await this.#serverFor(postgres), service, settings);
      if (error !== undefined) throw error;
      if (campaign.verdict === "pass") return;
      const command = this.#runner.again(relative(process.cwd(), file), path);
      throw new Error(failure(campaign, dirname(file), command));
    });
  }

  #serverFor(postgres = "auto"): Promise<Server> {
    const server = this.#servers.get(postgres) ?? startServer(postgres);
    this.#servers.set(postgres, server);
    return server;
  }
}

function pathOf(file: string): string {
  return file.startsWith("file:") ? fileURLToPath(file) : file;
}

function serviceOf<State extends Json, Op extends Operation>(
  tested: ScenarioDefinition | Service<State, Op>,
  name: string,
  file: string,
): Service<State, Op> {
  if ("migrate" in tested) return tested;
  const problem = scenarioProblem(tested);
  if (problem !== undefined) throw new HarnessError("USAGE", `this is not a scenario: ${problem}`);
  return scenarioService(tested, name, pathToFileURL(file)) as unknown as Service<State, Op>;
}

type Learned = Pick<ProfiledService<Json, Operation>, "independent"> & {
  readonly service: Pick<Service, "unreached">;
};

function noPairs(suite: string, learned: Learned): HarnessError {
  return new HarnessError(
    "USAGE",
    `${suite} has no pair of operations to test: ${foundSentence(0, learned)}; npx heddle doctor says what they answer`,
  );
}

function neverSucceeded(operation: string): string {
  return `no pair has ${operation}, since it never succeeded: npx heddle doctor says what it answered; leave it out if it is meant to fail`;
}

/** What a suite has tests for, and what it has none for. */
function foundSentence(pairs: number, { service, independent }: Learned): string {
  const { operations = [] } = service.unreached ?? {};
  return [
    `${quantity(pairs, "pair")} of operations`,
    ...(independent.length === 0
      ? []
      : [`${independent.length} more touch nothing in common, and have no test`]),
    ...(operations.length === 0
      ? []
      : [`no pair has ${operations.join(", ")}, which never succeeded`]),
  ].join("; ");
}

/** The verdict and the counterexamples, each with the command that runs this test again. */
function failure(campaign: Campaign, folder: string, command: string): string {
  const view = { colour: false, folder, again: command };
  const counterexamples = campaign.counterexamples.map((c) => counterexampleText(c, view));
  return [verdictSentence(campaign), ...counterexamples].join("\n\n");
}

/** A pattern that matches the name of a test, as a word of a shell. */
export function namePattern(name: string): string {
  return JSON.stringify(name.replaceAll(/[\\^$.*+?()[\]{}|]/g, "."));
}
