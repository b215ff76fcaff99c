import { InvalidArgumentError } from "commander";
import { CHECKERS, type CheckerName } from "../checkers/registry.ts";
import { GATE_LEVELS, type GateLevel, ISOLATIONS, type Isolation } from "../core/control.ts";
import { FAULT_GROUPS, FAULTS, type Fault, isFault } from "../core/fault.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import type { Shard } from "../explorer/shards.ts";
import { type StrategyName, strategies } from "../scheduler/strategies.ts";
import type { Bounds } from "../service/service.ts";
import { FROM_COMMIT } from "./seed-from-commit.ts";

/*
 * Parsers of option values. What they throw, commander shows with the option's name.
 */

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value === 0) {
    throw new InvalidArgumentError("Give a whole number, 1 or more.");
  }
  return value;
}

/** Seeds are 32-bit integers, so that every layer below takes them as they are. */
export function seedNumber(text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value !== (value | 0)) {
    throw new InvalidArgumentError("Give a whole number from -2147483648 to 2147483647.");
  }
  return value;
}

/** A number, or what a seed can be taken from. */
export function seedOrCommit(text: string): number | typeof FROM_COMMIT {
  return text === FROM_COMMIT ? FROM_COMMIT : seedNumber(text);
}

/** `2/4`: the second of four. */
export function shardOf(text: string): Shard {
  const match = /^(\d{1,5})\/(\d{1,5})$/.exec(text);
  const [number, of] = [Number(match?.[1]), Number(match?.[2])];
  if (!(number >= 1 && number <= of)) {
    throw new InvalidArgumentError("Give a shard and their number, such as 1/4 or 4/4.");
  }
  return { index: number - 1, of };
}

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** No timer runs longer: about 24 days. */
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

/** More clients than this have more interleavings than anybody will ever try. */
const MOST_CLIENTS = 8;

/** `3`, or `2-4`. */
export function clientBounds(text: string): Bounds {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const minClients = Number(match?.[1]);
  const maxClients = Number(match?.[2] ?? match?.[1]);
  if (!(minClients >= 1 && minClients <= maxClients && maxClients <= MOST_CLIENTS)) {
    throw new InvalidArgumentError(`Give a number from 1 to ${MOST_CLIENTS}, or two such as 2-4.`);
  }
  return { minClients, maxClients };
}

export function strategyNamed(text: string): StrategyName {
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

/** `statement`, or `statement,routine,row`; statements are always gated. */
export function gateLevels(text: string): readonly GateLevel[] {
  const levels = new Set(["statement", ...text.split(",")]);
  const known = GATE_LEVELS.filter((level) => levels.delete(level));
  if (levels.size > 0) throw new InvalidArgumentError(`Give some of: ${GATE_LEVELS.join(",")}.`);
  return known;
}

/** A list of kinds, and of groups of them. */
export function faultKinds(text: string): readonly Fault[] {
  if (text === "none") return [];
  const kinds = text.split(",").flatMap((name) => {
    const group = Object.hasOwn(FAULT_GROUPS, name) ? FAULT_GROUPS[name] : undefined;
    if (group !== undefined) return group;
    if (isFault(name)) return name;
    const [all, groups] = [FAULTS, FAULT_GROUPS].map((names) => Object.keys(names).join(", "));
    throw new InvalidArgumentError(`Give a list of: ${all}, ${groups}; or none.`);
  });
  return [...new Set(kinds)];
}

/** Separated by commas. */
export function names(text: string): readonly string[] {
  const all = text.split(",").map((name) => name.trim());
  if (all.includes("")) throw new InvalidArgumentError("Give names, with commas between them.");
  return all;
}

/** `invariant,contract`: some of the checkers, in their usual order. */
export function checkerNames(text: string): readonly CheckerName[] {
  const names = new Set(text.split(","));
  const known = CHECKERS.filter((name) => names.delete(name));
  if (names.size > 0) throw new InvalidArgumentError(`Give some of: ${CHECKERS.join(",")}.`);
  return known;
}

/** When state is observed. */
export function observationNamed(text: string): "each-commit" | undefined {
  if (text === "end") return undefined;
  if (text !== "each-commit") throw new InvalidArgumentError("Give a time: end, or each-commit.");
  return text;
}

/** With dashes for spaces, as a shell likes it. */
export function isolationNamed(text: string): Isolation {
  const isolation = ISOLATIONS.find((name) => name === text.replaceAll("-", " "));
  if (isolation === undefined) {
    const names = ISOLATIONS.map((name) => name.replaceAll(" ", "-"));
    throw new InvalidArgumentError(`Give one of: ${names.join(", ")}.`);
  }
  return isolation;
}
