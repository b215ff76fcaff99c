import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const text = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const lock: {
  readonly packages: {
    readonly [path: string]: {
      readonly dev?: boolean;
      readonly devOptional?: boolean;
      readonly engines?: { readonly node?: string };
    };
  };
} = JSON.parse(text("package-lock.json"));

type Version = readonly [major: number, minor: number, patch: number];

const LESS = ([a, b, c]: Version, [x, y, z]: Version) => (a - x || b - y || c - z) < 0;

/** Whether a version is in a range of `engines`: alternatives of `>=`, `^` and plain versions. */
function isIn(version: Version, range: string): boolean {
  return range.split("||").some((alternative) => {
    const parts = alternative.trim().matchAll(/(>=|\^)?\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?/g);
    return [...parts].every(([, operator, major, minor, patch]) => {
      const bound: Version = [Number(major), Number(minor ?? 0), Number(patch ?? 0)];
      const same =
        version[0] === bound[0] &&
        (minor === undefined || operator !== undefined || version[1] === bound[1]);
      return !LESS(version, bound) && (operator === ">=" || same);
    });
  });
}

test.each([
  [">=20.19", true],
  ["^18 || ^20.19.0 || >=22", true],
  ["20 || >=22", true],
  ["*", true],
  [">= 22.22", false],
  ["^22.12.0 || ^24.0.0", false],
  ["14 >=14.17", false],
  ["20.18", false],
])("20.19.0 in %s: %s", (range, expected) => {
  expect(isIn([20, 19, 0], range)).toBe(expected);
});

/** The packages that do not promise to work on the lowest Node that this package promises. */
const misfits = Object.entries(lock.packages).filter(
  ([, { engines }]) => !isIn([20, 19, 0], engines?.node ?? "*"),
);
const nameOf = (path: string) => path.replace(/^.*node_modules\//, "");

test("the promised Node is that of this test, and every package of an install works on it", () => {
  expect(JSON.parse(text("package.json")).engines.node).toBe(">=20.19");
  const installed = misfits.filter(([, { dev, devOptional }]) => !(dev || devOptional));
  expect(installed.map(([path]) => nameOf(path))).toEqual([]);
});

test("the README names the packages of a checkout about which npm ci warns, and no others", () => {
  const [, named = ""] =
    /warns here about the engines of [^(]*\(([^)]*)\)/.exec(text("README.md")) ?? [];
  const names = [...new Set(misfits.map(([path]) => nameOf(path)))].sort();
  expect(named.split(/,\s+/).sort()).toEqual(names);
});
