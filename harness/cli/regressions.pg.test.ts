import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { RegressionFolder } from "../explorer/regressions.ts";
import { verify } from "../explorer/verify.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import type { Service } from "../service/service.ts";
import { lostUpdate } from "./races.fixture.ts";

const racing = lostUpdate as Service;
let server: Server;
let regressions: RegressionFolder;

beforeAll(async () => {
  server = await startServer(testPostgres);
});
afterAll(() => server.stop());

beforeEach(async () => {
  const place = await mkdtemp(path.join(tmpdir(), "heddle-kept-"));
  regressions = new RegressionFolder(path.join(place, "regressions"));
  return () => rm(place, { recursive: true });
});

const run = (service: Service, options = {}) =>
  verify(server, service, { seed: 1, pairs: true, regressions: regressions.path, ...options });

/** The same service with another body of its function. */
function withFunction(body: string): Service {
  return {
    ...racing,
    migrate: async (url, mutant) => {
      await racing.migrate(url, mutant);
      const client = new Client({ connectionString: url });
      await client.connect();
      await client.query(
        `create or replace function increment(counter int) returns int language plpgsql as $$ declare seen int; begin ${body} end $$`,
      );
      await client.end();
    },
  };
}

const READ = "select value into seen from counters where id = counter";
const WRITE = `insert into increments values (counter);
  update counters set value = seen + 1 where id = counter; return seen;`;

test("a violation is stored, executed first from then on, and reported as fixed or stale", async () => {
  const { campaign: found } = await run(racing);
  expect(found.verdict).toBe("fail");
  const [file] = await readdir(regressions.path);
  expect(await readdir(regressions.path)).toEqual([
    expect.stringMatching(/^lost-update-.*\.json$/),
  ]);

  const { campaign: again } = await run(racing);
  expect(again).toMatchObject({ verdict: "fail", executions: 1, violations: 1 });
  expect(again.regressions).toEqual([
    { file: expect.stringContaining(file ?? "none"), rule: "lost-update", outcome: "fails" },
  ]);
  expect(again.counterexamples[0]?.violations[0]?.name).toBe("lost-update");
  expect(await readdir(regressions.path)).toEqual([file]);

  const { campaign: fixed } = await run(
    withFunction(
      `${READ}; if seen < 0 then return 0; end if; perform 1 from counters where id = counter for update; ${READ}; ${WRITE}`,
    ),
  );
  expect(fixed.verdict).toBe("pass");
  expect(fixed.regressions.map(({ outcome }) => outcome)).not.toContain("fails");

  const { campaign: other } = await run(
    withFunction(
      "update counters set value = value + 1; insert into increments values (1); return 0;",
    ),
  );
  expect(other.regressions).toMatchObject([{ outcome: "stale" }]);
});

test("a violation is written before it is shrunk", async () => {
  const whenShrinking: string[][] = [];
  const { campaign } = await run(racing, {
    onProgress: ({ phase }: { phase: string }) => {
      if (phase === "shrinking" && whenShrinking.length === 0) {
        whenShrinking.push([]);
        void readdir(regressions.path).then((names) => whenShrinking.push(names));
      }
    },
  });
  expect(whenShrinking[1]).toHaveLength(1);
  const [file = ""] = await readdir(regressions.path);
  const stored = JSON.parse(await readFile(path.join(regressions.path, file), "utf8"));
  expect(stored.scenario).toEqual(campaign.counterexamples[0]?.scenario);
});

test("a regression is executed under the gates that it was found with", async () => {
  await run(racing);
  const shallow = { gates: ["statement"], isolation: "serializable" } as const;
  const { campaign } = await run(racing, { control: shallow });
  expect(campaign).toMatchObject({
    verdict: "fail",
    control: { gates: ["statement", "routine"], isolation: "read committed" },
    regressions: [{ outcome: "fails" }],
  });
});

test("violations of seeded bugs are not stored", async () => {
  const seeded = {
    ...racing,
    seededBugs: [{ name: "seeded", origin: "", equivalent: "it is the same" }],
  };
  const { campaign } = await run(seeded, { mutant: "seeded" });
  expect(campaign.verdict).toBe("fail");
  await expect(readdir(regressions.path)).rejects.toThrow("ENOENT");
});
