import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { doubleBooking } from "../explorer/sample-counterexample.fixture.ts";
import { layersHtml } from "./html/layers.ts";
import { layersRecord, layersText } from "./layers.ts";
import { replayCommand, replayFileName, replayFilePath } from "./replay-command.ts";
import { layers } from "./sample-records.fixture.ts";
import { writeLayers } from "./write.ts";

const page = (value: typeof layers) => layersHtml(layersRecord(value, "reports"), value, "reports");

const [violation] = doubleBooking.violations;

test("the text lists the cases of each promise, and the conclusions", () => {
  expect(layersText(layersRecord(layers, "reports"), { colour: false, width: 90 })).toBe(`\
layers of defence: booking
Executed: every interleaving with at most 2 preemptions of each promise's pairs of
operations, until the first violation: 456 executions in 1.2 s.

no double booking
No two active bookings <overlap>.
- the lock: A claim locks its slot.
- the check: A claim looks first.
- the constraint: Nothing overlaps.

  with all protections                           holds    57 executions
  without the lock                               holds    57 executions
  without the check                              holds    57 executions
  without the constraint                         holds    57 executions
  without the lock + the check                   holds    57 executions
  without the lock + the constraint              breaks   ${violation?.name}: ${violation?.message}
  without the check + the constraint             unknown  a step took too long
  without the lock + the check + the constraint  breaks   ${violation?.name}: ${violation?.message}

It holds with all of its protections in place.
By itself the constraint suffices.
Without the lock and the constraint it breaks.
1 of 8 cases could not be decided.
${replayCommand(replayFilePath("reports", doubleBooking))}
`);
});

test("the page shows each pair of protections in its cell, and how the promise breaks", () => {
  const twice = { ...layers, promises: [...layers.promises, ...layers.promises] };
  const ids = [...page(twice).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const html = page(layers);
  const cells = [...html.matchAll(/<tr><th scope="row"[^>]*>([^<]*)<\/th>(.*?)<\/tr>/g)].map(
    ([, head, row]) => [head, ...(row?.match(/holds|breaks|unknown(?=<)/g) ?? [])],
  );
  expect(cells.slice(0, 3)).toEqual([
    ["the lock", "holds", "holds", "breaks"],
    ["the check", "holds", "holds", "unknown"],
    ["the constraint", "breaks", "unknown", "holds"],
  ]);
  expect(cells.slice(3, 6).map(([head, ...rest]) => [head, rest[0]])).toEqual([
    ["nothing", "holds"],
    ["the check, the constraint", "unknown"],
    ["all protections", "breaks"],
  ]);
  expect(html).toContain(
    "A promise <em>breaks</em> if one did; the first violation ended the search.",
  );
  expect(html).toContain("<p>By itself the constraint suffices.</p>");
  expect(html).toContain("No double booking: how it breaks without the lock and the constraint");
  expect(html.match(/<article /g)).toHaveLength(1);
  expect(html).toContain(replayFileName(doubleBooking));
  expect(html).toContain("No two active bookings &#60;overlap&#62;.");
});

test("the files are the page, the record, and the replay files of the smallest breaches", async () => {
  const folder = await mkdtemp(join(tmpdir(), "layers-"));
  await writeLayers(folder, layers);
  expect((await readdir(folder)).sort()).toEqual(["counterexamples", "layers.html", "layers.json"]);
  expect(await readdir(join(folder, "counterexamples"))).toHaveLength(1);
  const value = JSON.parse(await readFile(join(folder, "layers.json"), "utf8"));
  const [promise] = value.promises;
  expect(promise.cases[5]).toEqual({
    ...{ without: ["the lock", "the constraint"], outcome: "breaks", reason: null, executions: 57 },
    violation,
    file: join(folder, replayFileName(doubleBooking)),
  });
  expect(promise.cases[7]).not.toHaveProperty("file");
  await rm(folder, { recursive: true });
});
