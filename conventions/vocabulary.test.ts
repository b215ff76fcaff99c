import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { duplicateTypes, parseSources, vocabularyFindings } from "./vocabulary.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

const files = parseSources(
  new Map(
    globSync("{harness,models,bench}/**/*.ts", { cwd: root }).map((path) => [
      path.replaceAll("\\", "/"),
      readFileSync(`${root}${path}`, "utf8"),
    ]),
  ),
);

test("the harness has standard names", () => {
  const findings = vocabularyFindings(
    files.filter((file) => file.getFilePath().startsWith("/harness/")),
  ).map(({ where, message }) => `${where} ${message}`);
  expect(findings).toEqual([]);
});

test("each exported type has one declaration", () => {
  const findings = duplicateTypes(files).map(({ where, message }) => `${where} ${message}`);
  expect(findings).toEqual([]);
});

function findingsIn(sources: Readonly<Record<string, string>>): readonly string[] {
  return vocabularyFindings(parseSources(new Map(Object.entries(sources)))).map(
    ({ where, message }) => `${where} ${message}`,
  );
}

describe("a name that is no standard term is found", () => {
  test.each([
    ["harness/a/hygiene.ts", "", "harness/a/hygiene.ts use: leaks"],
    [
      "harness/a/side-by-side.test.ts",
      "",
      "harness/a/side-by-side.test.ts use: parallel exploration",
    ],
    ["harness/a.ts", "export interface Flight {}", "harness/a.ts Flight use: PendingStatement"],
    ["harness/a.ts", "export type FATE = 1;", "harness/a.ts FATE use: a fault's name"],
    ["harness/a.ts", "export function letGo() {}", "harness/a.ts letGo use: released"],
    ["harness/a.ts", "export const hunt = 1;", "harness/a.ts hunt use: search"],
    [
      "harness/a.ts",
      "export interface A { doomed: 1 }",
      "harness/a.ts A.doomed use: the affected operations",
    ],
    ["harness/a.ts", "export class A { land() {} }", "harness/a.ts A.land use: complete"],
    [
      "harness/a.ts",
      "export class A { get story() { return 1; } }",
      "harness/a.ts A.story use: narrative",
    ],
  ])("in %s: %s", (path, text, finding) => {
    expect(findingsIn({ [path]: text })).toEqual([finding]);
  });

  test.each([
    ["a private member", "export class A { #tried = 1; }"],
    ["a name that is not exported", "interface Flight {} export type A = Flight;"],
    ["a part of a longer name", "export function restoreTotals() {}"],
    ["a member with an exception", "export interface A { start(): void; setup: 1; total: 2 }"],
    ["an export of another file", 'export { hunt as search } from "./b.ts";'],
  ])("and %s is not", (_, text) => {
    expect(findingsIn({ "harness/a.ts": text })).toEqual([]);
  });
});

test("a type that two files declare is found; a function or a constant is not", () => {
  const sources = {
    "harness/a.ts":
      "export interface A {} export type B = 1; export class C {} export const d = 1;",
    "bench/b.ts":
      "export type A = 1; export const B = 1; export interface C {} export const d = 1;",
    "models/c.ts": 'interface D {} export type { A } from "../harness/a.ts";',
    "models/d.ts": "interface D {}",
  };
  const findings = duplicateTypes(parseSources(new Map(Object.entries(sources))));
  expect(findings.map(({ where, message }) => `${where} ${message}`)).toEqual([
    "A is declared in harness/a.ts, bench/b.ts",
    "C is declared in harness/a.ts, bench/b.ts",
  ]);
});
