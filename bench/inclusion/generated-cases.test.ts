import { beforeAll, expect, test } from "vitest";
import { loadParser, parseStatements } from "../../harness/parser/sql.ts";
import { KNOWN_GAPS, knownGapOf, scenarioFileOf } from "./inclusion-case.ts";
import { caseNumbered } from "./property.ts";

const CASES = Array.from({ length: 2_000 }, (_, number) => caseNumbered(1, number).value);

beforeAll(loadParser);

test("each generated text is SQL", () => {
  const texts = CASES.flatMap(({ setup, clients }) => [
    ...setup,
    ...clients.flatMap(({ messages }) => messages),
  ]);
  expect(texts.filter((text) => parseStatements(text) === undefined)).toEqual([]);
});

test("the same seed and number give the same case", () => {
  expect(CASES.map((_, number) => caseNumbered(1, number).value)).toEqual(CASES);
  expect(caseNumbered(2, 0).value).not.toEqual(CASES[0]);
});

test.each([
  "before insert",
  "after update",
  "before statement",
  "deferrable initially deferred",
  "instead of",
  "create rule",
  "language sql",
  "create procedure",
  "row level security",
  "partition of",
  "on conflict",
  "merge into",
  "with x as",
  "declare cu cursor",
  "savepoint s",
  "create table if not exists",
  "skip locked",
  "nowait",
  "pg_advisory_xact_lock",
  "elsif",
  "serializable",
  "extended",
])("some case has: %s", (text) => {
  const words =
    text === "before statement" ? /before \w+( or \w+)* on \w+ for each statement/ : undefined;
  const inCase = (one: string) => (words ? words.test(one) : one.includes(text));
  expect(CASES.some((one) => inCase(JSON.stringify(one)))).toBe(true);
});

test("a setup defines only what another text of the case names", () => {
  for (const { setup, clients } of CASES) {
    const texts = [...setup, ...clients.flatMap(({ messages }) => messages)];
    const named = (name: string) =>
      texts.filter((text) => new RegExp(`\\b${name}\\b`).test(text)).length;
    const defined = setup.flatMap(
      (text) =>
        /^create (?:table|function|procedure|view) (\w+)(?!.* partition of)/.exec(text)?.[1] ?? [],
    );
    expect(defined.filter((name) => named(name) < 2)).toEqual([]);
  }
});

test("a scenario file has the setup and the messages of a case, and each known gap occurs", () => {
  const [one] = CASES;
  if (one === undefined) throw new Error("there is no case");
  const file = scenarioFileOf(one);
  for (const text of one.clients.flatMap(({ messages }) => messages)) {
    expect(file).toContain(JSON.stringify(text));
  }
  expect(new Set(CASES.map(knownGapOf)).size).toBe(KNOWN_GAPS.length + 1);
});
