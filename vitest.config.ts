import { configDefaults, defineConfig } from "vitest/config";

const needing = (what: string) => `**/*.${what}.test.ts`;
const surroundings = ["pg", "browser", "container"].map(needing);

/**
 * One project for each kind of surroundings that a test needs, told by its file's name. Files that
 * are not isolated load the code once for each process, and not once for each file.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          // As many as below: projects that take turns in the same processes have to agree.
          maxWorkers: 2,
          // A bound on what hangs, far above what a slow machine takes.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          isolate: false,
          unstubEnvs: true,
          include: ["**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...surroundings],
        },
      },
      {
        test: {
          name: "pg",
          include: [needing("pg")],
          // Each file starts a Postgres of its own: more of them at once only wait.
          maxWorkers: 2,
          isolate: false,
          unstubEnvs: true,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        test: {
          name: "browser",
          maxWorkers: 2,
          include: [needing("browser")],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "container",
          // After the others, one at a time: each looks at all that the engine has.
          fileParallelism: false,
          include: [needing("container")],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
