import { type Command, InvalidArgumentError, Option } from "commander";
import { CHECKERS, type CheckerName } from "../checkers/registry.ts";
import {
  GATE_NAMES,
  type GateName,
  ISOLATIONS,
  type Isolation,
  isolationNamed,
} from "../core/control.ts";
import { FAULT_GROUPS, FAULTS, type Fault, isFault } from "../core/fault.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import type { Shard } from "../explorer/shards.ts";
import { orFolderInModels } from "../loading/models-folder.ts";
import { redactionOf } from "../reporters/redaction.ts";
import { type StrategyName, strategies } from "../scheduler/strategies.ts";
import type { Bounds } from "../service/service.ts";

/*
 * The options that several commands share, and the parsers of option values. Commander prints the
 * message of an InvalidArgumentError after the option's name.
 */

export const SERVICE =
  `the path of a service or scenario file${orFolderInModels()} ` +
  "(default: the service in heddle.config.{ts,js,mjs,json})";
export const POSTGRES =
  "auto, embedded[:major], container[:tag or image] (default image: HEDDLE_POSTGRES_IMAGE), " +
  "url (HEDDLE_POSTGRES_URL), or a postgres:// URL";
export const REUSE = "keep the container running after this command, and use one that was kept";
export const SEED = "the seed of everything that is generated (default: random)";

export function stepTimeout(): Option {
  return new Option("--step-timeout <duration>", "the time limit of one step")
    .argParser(durationMs)
    .default(DEFAULTS.stepTimeoutMs, "10s");
}

export function shrinkTime(): Option {
  return new Option("--shrink-time <duration>", "the time limit of shrinking a counterexample")
    .argParser(durationMs)
    .default(DEFAULTS.shrinkTimeMs, "30s");
}

export function gates(): Option {
  return new Option(
    "--gates <kinds>",
    `where clients can be held, to look at fewer places: some of ${GATE_NAMES.join(", ")}; or all`,
  )
    .argParser(gateNames)
    .default(DEFAULTS.control.gates, "all");
}

export function isolation(): Option {
  return new Option(
    "--isolation <level>",
    "the isolation level of transactions that do not set one (default: that of the scenario, or " +
      "read-committed)",
  ).argParser(isolationLevel);
}

export function freeze(): Option {
  return new Option(
    "--freeze [time]",
    "stop the clock of clients and Node services at this time (default: now), and seed their random numbers",
  )
    .argParser(frozenTime)
    .preset(NOW);
}

const NOW = "now";

/** The time in ISO 8601. */
function frozenTime(text: string): string {
  const time = text === NOW ? new Date() : new Date(text);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new InvalidArgumentError(
    "Give a time such as 2030-01-31T09:00:00Z, or write --freeze behind the name of the file.",
  );
}

export function invariantFiles(): Option {
  return new Option(
    "--invariant <file...>",
    "a .sql file, or a folder of them: queries that must return no rows",
  );
}

export function redact(): Option {
  return new Option(
    "--redact <rules>",
    "what reports leave out: the values of columns by name, and /patterns/, separated by commas",
  ).argParser((text) => redactionOf(names(text)));
}

/** Adds an earlier name of the option `name`, which works and is not listed in the help. */
export function addHiddenAlias(command: Command, flags: string, name: string): void {
  const option = command.options.find(({ long }) => long === name);
  if (option === undefined) throw new Error(`there is no option ${name}`);
  const alias = new Option(flags).hideHelp();
  if (option.parseArg !== undefined) alias.argParser(option.parseArg);
  command.addOption(alias).on(`option:${alias.name()}`, () => {
    const value: unknown = command.getOptionValue(alias.attributeName());
    command.setOptionValueWithSource(option.attributeName(), value, "cli");
  });
}

export function positiveNumber(text: string): number {
  return wholeNumber(text, Number.MAX_SAFE_INTEGER, "Give a whole number, 1 or more.");
}

/** More processes wait for each other, on any machine that is known. */
const MOST_WORKERS = 64;

export function workerCount(text: string): number {
  return wholeNumber(text, MOST_WORKERS, `Give a whole number from 1 to ${MOST_WORKERS}.`);
}

/** Each request at once is an open connection. */
const MOST_REQUESTS = 1_000;

/** The number of requests that an attack sends at once. */
export function requestCount(text: string): number {
  return wholeNumber(text, MOST_REQUESTS, `Give a whole number from 1 to ${MOST_REQUESTS}.`);
}

function wholeNumber(text: string, most: number, advice: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most) throw new InvalidArgumentError(advice);
  return value;
}

/** Seeds are 32-bit integers, which every random generator below accepts unchanged. */
export function seedNumber(text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value !== (value | 0)) {
    throw new InvalidArgumentError("Give a whole number from -2147483648 to 2147483647.");
  }
  return value;
}

/** The value of `--seed` that derives the seed from the commit that is checked out. */
export const FROM_COMMIT = "from-commit";

export function seedOrCommit(text: string): number | typeof FROM_COMMIT {
  return text === FROM_COMMIT ? FROM_COMMIT : seedNumber(text);
}

/** `2/4`: the second of four. */
export function shardOf(text: string): Shard {
  const match = /^(\d{1,5})\/(\d{1,5})$/.exec(text);
  const [number, of] = [Number(match?.[1]), Number(match?.[2])];
  if (!(number >= 1 && number <= of)) {
    throw new InvalidArgumentError("Give a shard and the number of shards, such as 1/4 up to 4/4.");
  }
  return { index: number - 1, of };
}

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The longest delay of a Node timer: about 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** `90`, `90s`, `500ms`, `10m`, `1h`: in ms. */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const unit = UNITS[match?.[2] ?? "s"];
  const ms = Number(match?.[1]) * (unit ?? Number.NaN);
  if (!(ms <= LONGEST_MS)) {
    throw new InvalidArgumentError("Give a time such as 90s, 500ms, 10m or 1h; at most 596h.");
  }
  return ms;
}

/** More clients have more interleavings than any campaign can sample. */
const MOST_CLIENTS = 8;

/** `3`, or `2-4`. */
export function clientBounds(text: string): Bounds {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const minClients = Number(match?.[1]);
  const maxClients = Number(match?.[2] ?? match?.[1]);
  if (!(minClients >= 1 && minClients <= maxClients && maxClients <= MOST_CLIENTS)) {
    throw new InvalidArgumentError(
      `Give a number from 1 to ${MOST_CLIENTS}, or a range such as 2-4.`,
    );
  }
  return { minClients, maxClients };
}

export function strategyName(text: string): StrategyName {
  const names = strategies(DEFAULTS).map(({ name }) => name);
  if (!names.includes(text)) throw new InvalidArgumentError(`Give one of: ${names.join(", ")}.`);
  return text as StrategyName;
}

/** A number, or `all`. */
export function preemptionBound(text: string): number {
  if (text === "all") return Number.POSITIVE_INFINITY;
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError("Give a whole number, or all.");
  return Number(text);
}

/** `statement`, or `statement,routine,row`, or `all`; statements are always gated. */
function gateNames(text: string): readonly GateName[] {
  if (text === "all") return GATE_NAMES;
  const names = new Set(["statement", ...text.split(",")]);
  const chosen = GATE_NAMES.filter((name) => names.delete(name));
  if (names.size > 0) throw new InvalidArgumentError(`Give some of: ${GATE_NAMES.join(",")}.`);
  return chosen;
}

/** Names of faults and of groups of faults. */
export function faultKinds(text: string): readonly Fault[] {
  if (text === "none") return [];
  const faults = text.split(",").flatMap((name) => {
    const group = Object.hasOwn(FAULT_GROUPS, name) ? FAULT_GROUPS[name] : undefined;
    if (group !== undefined) return group;
    if (isFault(name)) return name;
    const [kinds, groups] = [FAULTS, FAULT_GROUPS].map((names) => Object.keys(names).join(", "));
    throw new InvalidArgumentError(`Give a list of: ${kinds}, ${groups}; or none.`);
  });
  return [...new Set(faults)];
}

/** Separated by commas. */
export function names(text: string): readonly string[] {
  const all = text.split(",").map((name) => name.trim());
  if (all.includes("")) throw new InvalidArgumentError("Give names, separated by commas.");
  return all;
}

/** `contract,invariant`: some of the checkers, which run in the order of `CHECKERS`. */
export function checkerNames(text: string): readonly CheckerName[] {
  const given = new Set(text.split(","));
  const chosen = CHECKERS.filter((name) => given.delete(name));
  if (given.size > 0) throw new InvalidArgumentError(`Give some of: ${CHECKERS.join(",")}.`);
  return chosen;
}

/** When the invariants are checked. */
export function observationNamed(text: string): "each-commit" | undefined {
  if (text === "end") return undefined;
  if (text !== "each-commit") throw new InvalidArgumentError("Give a time: end, or each-commit.");
  return text;
}

function isolationLevel(text: string): Isolation {
  const level = isolationNamed(text);
  if (level === undefined) {
    const levels = ISOLATIONS.map((name) => name.replaceAll(" ", "-"));
    throw new InvalidArgumentError(`Give one of: ${levels.join(", ")}.`);
  }
  return level;
}
