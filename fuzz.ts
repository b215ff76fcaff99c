/**
 * Runs the properties with hostile inputs for longer than the tests do:
 *
 *     npm run fuzz -- [--time 10m] [--only proxy,files] [--seed 1]
 *
 * `--time` is that of each property. A property that fails prints the seed and the path by which fast-check
 * repeats it.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/** The files of each area, by the project of vitest.config.ts. */
const AREAS: { readonly [area: string]: readonly [project: string, file: string] } = {
  session: ["unit", "harness/proxy/hostile-session.test.ts"],
  proxy: ["pg", "harness/proxy/hostile-frames.pg.test.ts"],
  control: ["pg", "harness/proxy/hostile-control.pg.test.ts"],
  files: ["unit", "harness/reporters/hostile-files.test.ts"],
  reporters: ["unit", "harness/reporters/hostile-text.test.ts"],
  flags: ["unit", "harness/cli/hostile-flags.test.ts"],
};

const UNITS: { readonly [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000 };

const { values } = parseArgs({
  options: {
    time: { type: "string", default: "10m" },
    only: { type: "string", default: Object.keys(AREAS).join(",") },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const [, count, unit = "s"] = /^(\d+)([smh])$/.exec(values.time) ?? [];
const ms = Number(count) * (UNITS[unit] ?? Number.NaN);
const areas = values.only.split(",");
if (!(ms > 0) || !/^-?\d+$/.test(values.seed) || !areas.every((area) => area in AREAS)) {
  console.error(`usage: npm run fuzz -- [--time 10m] [--only ${Object.keys(AREAS)}] [--seed 1]`);
  process.exit(2);
}

console.log(`seed ${values.seed}, ${values.time} for each property`);
const failed = areas.filter((area) => {
  const [project = "", file = ""] = AREAS[area] ?? [];
  const { status } = spawnSync(
    "npx",
    ["vitest", "run", "--project", project, "--testTimeout=0", file],
    {
      stdio: "inherit",
      env: { ...process.env, HEDDLE_FUZZ_MS: String(ms), HEDDLE_FUZZ_SEED: values.seed },
    },
  );
  return status !== 0;
});
if (failed.length > 0) {
  console.error(`failed: ${failed.join(", ")}`);
  process.exit(1);
}
