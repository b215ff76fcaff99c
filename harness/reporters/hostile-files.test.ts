import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { fuzzParameters } from "../core/fuzz.fixture.ts";
import { decodeCounterexample, encodeCounterexample } from "../explorer/counterexample-file.ts";
import { NO_COVERAGE } from "../explorer/coverage.ts";
import { doubleBooking } from "../explorer/sample-counterexample.fixture.ts";
import { mergeShards, type ShardPart } from "../explorer/shards.ts";
import { EMPTY_TALLY } from "../explorer/tally.ts";
import { decodeToken, encodeToken } from "../explorer/token.ts";
import { checkEvidence, writeEvidence } from "./evidence.ts";
import { FILES } from "./report-files.ts";
import { failing } from "./sample-campaign.fixture.ts";
import { layers, score, seeded } from "./sample-records.fixture.ts";
import { readShard, writeShard } from "./shard-file.ts";
import { counterexampleText } from "./text.ts";
import {
  refreshReport,
  writeDerivedMutants,
  writeLayers,
  writeReports,
  writeSeededBugs,
} from "./write.ts";

/*
 * Files that were changed after Heddle wrote them: a value is taken away, or another stands in its place. Each is
 * refused with a HarnessError, or can be shown; any other error would be reported as a bug of Heddle.
 */

const TOTAL: ShardPart["total"] = {
  ...{ tally: EMPTY_TALLY, coverage: NO_COVERAGE, digest: "0" },
  ...{ pairs: [], fingerprints: [], undecided: null },
};

let folder = "";
/** The texts of the files of a report, by their paths in the folder. */
const texts = new Map<string, string>();
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "heddle-hostile-"));
  const written = await writeReports(folder, failing);
  await writeSeededBugs(folder, { ...seeded, service: failing.service });
  await writeLayers(folder, { ...layers, service: failing.service });
  await writeDerivedMutants(folder, { ...score, service: failing.service });
  const part: ShardPart = {
    shard: { index: 0, of: 1 },
    scenarios: null,
    campaign: failing,
    total: TOTAL,
  };
  await writeShard(folder, part);
  await writeEvidence(folder, written, []);
  const names = [
    ...Object.values(FILES),
    ...written.counterexamples.map((file) => path.relative(folder, file)),
  ];
  for (const name of names) {
    if (name.endsWith(".json")) texts.set(name, await readFile(path.join(folder, name), "utf8"));
  }
});
afterAll(() => rm(folder, { recursive: true }));

type Place = readonly (string | number)[];

/** Where the values of a JSON value stand. */
function placesOf(value: unknown, place: Place = []): readonly Place[] {
  if (typeof value !== "object" || value === null) return [place];
  const members = Object.entries(value).flatMap(([key, member]) =>
    placesOf(member, [...place, key]),
  );
  return [place, ...members];
}

/** A copy of a JSON text in which another value stands at a place; undefined takes it away. */
function withValueAt(text: string, at: number, value: unknown): string {
  const root: { value: unknown } = { value: JSON.parse(text) };
  const places = placesOf(root.value);
  const place: Place = ["value", ...(places[at % places.length] ?? [])];
  const [last = "value"] = place.slice(-1);
  const parent = place
    .slice(0, -1)
    .reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), root);
  if (value === undefined) Reflect.deleteProperty(Object(parent), last);
  else Reflect.set(Object(parent), last, value);
  return JSON.stringify(root.value) ?? "";
}

const value = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom(null, -1, 0, 1.5, 1e300, "", "x", [], {}, [null], { type: "statement" }, true),
  // No text: `String` throws on it.
  fc.constant({ toString: 1 }),
  fc.constantFrom(
    "../../etc/passwd",
    "0!crash",
    "bg.99999",
    "__proto__",
    "2026-13-45",
    "a".repeat(5_000),
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Fails for any error but one that a user can read. */
async function readable(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(HarnessError);
  }
}

const changes = fc.array(fc.tuple(fc.nat(), value), { minLength: 1, maxLength: 3 });

function changed(text: string, all: readonly (readonly [number, unknown])[]): string {
  return all.reduce((now, [at, other]) => (now === "" ? now : withValueAt(now, at, other)), text);
}

test("a changed replay file or token is refused, or shown", async () => {
  const file = encodeCounterexample(doubleBooking);
  const show = (text: string) => () => {
    const read = decodeCounterexample(text);
    counterexampleText(read, { colour: false, folder: "." });
    expect(decodeToken(encodeToken(read)).scenario).toEqual(read.scenario);
  };
  await fc.assert(
    fc.asyncProperty(changes, async (all) => readable(show(changed(file, all)))),
    fuzzParameters(300),
  );
});

const files = [
  ...["report.json", "mutants.json", "layers.json", "derived-mutants.json", "shard.json"],
  ...["evidence.json", "the counterexample"],
] as const;

test.each(files)("a report with a changed %s is refused, or shown", async (file) => {
  await fc.assert(
    fc.asyncProperty(changes, async (all) => {
      const name = file === "the counterexample" ? counterexamplePath() : file;
      const whole = path.join(folder, name);
      await writeFile(whole, changed(texts.get(name) ?? "", all));
      await readable(() => refreshReport(folder));
      await readable(() => checkEvidence(path.join(folder, FILES.evidence)));
      await readable(async () => {
        const merged = mergeShards([await readShard<ShardPart>(folder)]);
        await mkdir(path.join(folder, "merged"), { recursive: true });
        await writeReports(path.join(folder, "merged"), merged);
      });
      await writeFile(whole, texts.get(name) ?? "");
    }),
    fuzzParameters(12),
  );
});

function counterexamplePath(): string {
  return [...texts.keys()].find((name) => name.startsWith("counterexamples")) ?? "";
}
