import { describe, expect, test } from "vitest";
import { NOTHING } from "../core/footprint.ts";
import type { RequestFootprint } from "../footprints/footprints.ts";
import { FakeSession } from "../proxy/pending-statement.fixture.ts";
import type { ProxySession } from "../proxy/pending-statement.ts";
import { Discoveries } from "./discoveries.ts";

const touching = (...reads: readonly string[]) => ({ ...NOTHING, reads: new Set(reads) });

/** By text: what a statement does to its session, and what it reads. */
const REQUESTS: { readonly [sql: string]: Partial<RequestFootprint> } = {
  set: { ofSession: "changes" },
  "set otherwise": { ofSession: "changes" },
  show: { ofSession: "reads", at: () => NOTHING },
  version: { ofSession: undefined, at: () => NOTHING },
  select: { ofSession: undefined, at: () => touching("a") },
};

/** Statements on sessions, in order: whether it matters afterwards which client gets which. */
function passes(discoveries: Discoveries, ...uses: readonly (readonly [ProxySession, string])[]) {
  for (const [session, sql] of uses) {
    const request = { control: { type: "query" }, ...REQUESTS[sql] } as RequestFootprint;
    discoveries.uses(session, request, { sql, values: [] });
  }
  return discoveries.passesSessions;
}

describe("which client gets a session matters", () => {
  test("once something was changed in one that was used, and two clients have used one", () => {
    const discoveries = new Discoveries();
    const session = new FakeSession(1);
    expect(passes(discoveries, [session, "select"], [session, "set"])).toBe(false);
    expect(discoveries.sessionsDiffer).toBe(true);
    const { revision } = discoveries;
    discoveries.passed(session);
    expect(discoveries.passesSessions).toBe(true);
    expect(discoveries.revision).toBe(revision + 1);
    // It is no news.
    discoveries.passed(session);
    expect(discoveries.revision).toBe(revision + 1);
  });

  test("for a later search too, where an earlier one has set something in a session that is still open", () => {
    const discoveries = new Discoveries();
    const [one, other] = [new FakeSession(1), new FakeSession(2)];
    passes(discoveries, [one, "select"], [one, "set"], [other, "select"]);
    for (const [session, differs] of [
      [one, true],
      [other, false],
    ] as const) {
      discoveries.forget();
      expect(discoveries.sessionsDiffer).toBe(false);
      discoveries.begins([session]);
      expect(discoveries.sessionsDiffer).toBe(differs);
    }
  });

  test("where sessions were opened differently", () => {
    const [one, other] = [new FakeSession(1), new FakeSession(2)];
    const discoveries = new Discoveries();
    discoveries.passed(one);
    expect(passes(discoveries, [one, "set"], [one, "select"], [other, "select"])).toBe(true);
  });

  test("where another client reads a parameter that one has set", () => {
    const [one, other] = [new FakeSession(1), new FakeSession(2)];
    const discoveries = new Discoveries();
    expect(passes(discoveries, [one, "set"])).toBe(false);
    discoveries.passed(one);
    expect(passes(discoveries, [other, "show"])).toBe(true);
  });

  test("in a session that was open before", () => {
    const session = new FakeSession(1);
    const discoveries = new Discoveries();
    discoveries.begins([session]);
    discoveries.passed(session);
    expect(passes(discoveries, [session, "set"])).toBe(true);
  });
});

describe("it does not matter", () => {
  test("where each was opened alike, as a pool does it", () => {
    const discoveries = new Discoveries();
    for (const session of [new FakeSession(1), new FakeSession(2)]) {
      const opened = ["set", "version", "set otherwise", "select", "select"] as const;
      discoveries.passed(session);
      expect(passes(discoveries, ...opened.map((sql) => [session, sql] as const))).toBe(false);
    }
    expect(discoveries.sessionsDiffer).toBe(false);
  });

  test("where each client has sessions of its own", () => {
    const [one, other] = [new FakeSession(1), new FakeSession(2)];
    const uses = [[one, "select"] as const, [one, "set"] as const, [other, "show"] as const];
    expect(passes(new Discoveries(), ...uses)).toBe(false);
  });

  test("what an earlier search has seen", () => {
    const session = new FakeSession(1);
    const discoveries = new Discoveries();
    discoveries.passed(session);
    passes(discoveries, [session, "select"], [session, "set"]);
    discoveries.readsStart("0.0");
    discoveries.forget();
    expect(discoveries.passesSessions).toBe(false);
    expect(discoveries.isDated("0.0")).toBe(false);
  });
});
