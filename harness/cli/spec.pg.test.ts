import { writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeAll(async () => {
  place = await TestFolder.make();
  await writeFile(
    place.path("lost.spec"),
    `setup { create table t (v int); insert into t values (0); }
teardown { drop table t; }
session a step a1 { begin; update t set v = v + 1; } step a2 { commit; }
session b step b1 { update t set v = v + 1 returning v; }
permutation a1 b1 a2
`,
  );
});

afterAll(() => place.remove());

afterEach(async () => {
  expect(await place.leftovers()).toEqual([]);
});

const OUTCOME = `Parsed test spec with 2 sessions

starting permutation: a1 b1 a2
step a1: begin; update t set v = v + 1;
step b1: update t set v = v + 1 returning v; <waiting ...>
step a2: commit;
step b1: <... completed>
v
-
2
(1 row)

`;

test("a spec's output is printed", async () => {
  const { code, stdout } = await place.heddle("spec", "lost.spec", "--postgres", "embedded");
  expect(stdout).toBe(OUTCOME);
  expect(code).toBe(0);
});

test("the expected output passes, and any other is printed as a difference", async () => {
  const compare = () =>
    place.heddle("spec", "lost.spec", "--postgres", "embedded", "--expected", "lost.out");
  await writeFile(place.path("lost.out"), OUTCOME);
  expect(await compare()).toMatchObject({ code: 0, stdout: "as expected: lost.out\n" });
  await writeFile(place.path("lost.out"), OUTCOME.replace("\n2\n", "\n1\n"));
  const { code, stdout } = await compare();
  expect(stdout).toContain("--- lost.out\n+++ outcome\n@@ ");
  expect(stdout).toContain("\n-1\n+2\n");
  expect(code).toBe(1);
});

test("an exploration finds a violation that no permutation of the spec shows, and it replays", async () => {
  await writeFile(place.path("two.sql"), "select v from t where v = 2");
  const { code, stdout } = await place.heddle(
    ...["spec", "lost.spec", "--explore", "--invariant", "two.sql", "--postgres", "embedded"],
  );
  expect(stdout).toContain('two (invariant): {"v":"2"}');
  expect(stdout).toContain("FAIL  lost.spec,two.sql");
  expect(code).toBe(1);
  const [, file = ""] = /npx heddle replay (\S+)/.exec(stdout) ?? [];
  const replayed = await place.heddle("replay", file, "--postgres", "embedded");
  expect(replayed.stdout).toContain(
    "replayed: 1 of 1: the same steps and the same violation; violated: two",
  );
  expect(replayed.code).toBe(1);
});

test.each([
  [["--explore", "--expected", "lost.out"], "--explore has no expected output"],
  [["--invariant", "two.sql"], "--invariant needs --explore"],
  [["--explore", "--strategy", "random", "--faults", "all"], "give --faults connection"],
  [["--explore", "--invariant", "none.sql"], "The invariant none.sql cannot be read"],
])("options that contradict each other are refused: %j", async (options, says) => {
  const { code, stderr } = await place.heddle("spec", "lost.spec", ...options);
  expect(stderr).toContain(says);
  expect(code).toBe(2);
});

test("an error in a spec is one sentence", async () => {
  await writeFile(place.path("bad.spec"), "session a\nstop a1 { select 1; }");
  expect(await place.heddle("spec", "bad.spec")).toMatchObject({
    code: 2,
    stderr: 'heddle: bad.spec:2:1: expected "step", found "stop" [USAGE]\n',
  });
  expect(await place.heddle("spec", "none.spec")).toMatchObject({
    code: 2,
    stderr: "heddle: The spec none.spec cannot be read: check its path. [USAGE]\n",
  });
  const { code, stderr } = await place.heddle(
    ...["spec", "lost.spec", "--postgres", "embedded", "--expected", "none.out"],
  );
  expect(stderr).toContain("The expected file none.out cannot be read: check its path. [USAGE]");
  expect(code).toBe(2);
});
