import { describe, expect, test } from "vitest";
import { type Footprint, independent, NOTHING, type Touched } from "./footprint.ts";

const touched = (part: Partial<Record<keyof Touched, string>>): Touched => ({
  reads: new Set(part.reads?.split(" ")),
  shares: new Set(part.shares?.split(" ")),
  writes: new Set(part.writes?.split(" ")),
});

const footprint = (part: Partial<Footprint>): Footprint => ({
  step: NOTHING,
  held: NOTHING,
  ends: false,
  snapshot: false,
  tracked: false,
  clock: false,
  keeps: false,
  ...part,
});

const reads = footprint({ step: touched({ reads: "a" }) });
const shares = footprint({ step: touched({ shares: "a" }) });
const writes = footprint({ step: touched({ writes: "a" }) });
const other = footprint({ step: touched({ reads: "b", writes: "c" }) });
const commits = footprint({ held: touched({ writes: "a" }), ends: true });
const begins = footprint({ step: touched({ reads: "b" }), snapshot: true });
const wrote = footprint({ step: touched({ reads: "b" }), held: touched({ writes: "a" }) });
const tracked = (it: Footprint): Footprint => ({ ...it, tracked: true });

describe("independent are", () => {
  test.each<[string, Footprint, Footprint]>([
    ["steps that touch different things", writes, other],
    ["two that read", reads, reads],
    ["two that share a lock", shares, shares],
    ["one that reads and one that writes, and commits later", reads, writes],
    ["one that reads and one that has written", reads, wrote],
    ["two that have written before", wrote, { ...other, held: touched({ writes: "a" }) }],
    ["a commit and one that reads something else", commits, other],
    ["a commit of nothing and a snapshot", footprint({ ends: true }), begins],
    ["two commits", commits, commits],
    ["nothing and anything that is known", footprint({}), commits],
    ["transactions that are kept track of and never met", tracked(writes), tracked(other)],
    ["one that is kept track of, and one that is not", tracked(reads), writes],
  ])("%s", (_, a, b) => {
    expect(independent(a, b)).toBe(true);
    expect(independent(b, a)).toBe(true);
  });
});

describe("dependent are", () => {
  test.each<[string, Footprint | undefined, Footprint | undefined]>([
    ["what is not known and what is", undefined, footprint({})],
    ["what is not known and what is not", undefined, undefined],
    ["two that write", writes, writes],
    ["one that writes and one that shares a lock", writes, shares],
    ["one that has written, and may fail, and one that writes", wrote, writes],
    [
      "one that has a share in a lock, and one that writes",
      { ...other, held: shares.step },
      writes,
    ],
    ["a commit and one that reads what it wrote", commits, reads],
    ["a step that writes and commits and one that reads", { ...writes, ends: true }, reads],
    ["a commit and a snapshot", commits, begins],
    ["a read and a write that are kept track of", tracked(reads), tracked(writes)],
    ["transactions that are kept track of and met before", tracked(wrote), tracked(commits)],
    ["a commit and any other that are kept track of", tracked(commits), tracked(other)],
  ])("%s", (_, a, b) => {
    expect(independent(a, b)).toBe(false);
    expect(independent(b, a)).toBe(false);
  });
});
