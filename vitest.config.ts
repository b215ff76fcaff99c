import { configDefaults, defineConfig } from "vitest/config";

const testsOf = (environment: string) => `**/*.${environment}.test.ts`;
const environments = ["pg", "browser", "container"].map(testsOf);

/**
 * One project for each environment that tests need, which their file names state. Without isolation, a
 * process loads the code once, and not for each file.
 */
export default defineConfig({
  test: {
    // `npm test` leaves these out; `npm run test:nightly` runs them alone.
    tags: [
      { name: "nightly", description: "takes long, and something shorter tests the same code" },
    ],
    projects: [
      {
        test: {
          name: "unit",
          // The same number as below, since projects share the processes.
          maxWorkers: 2,
          // Far above the time on a slow machine.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          isolate: false,
          unstubEnvs: true,
          include: ["**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...environments],
        },
      },
      {
        test: {
          name: "pg",
          include: [testsOf("pg")],
          // Each file starts a Postgres, so more workers would only wait.
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
          include: [testsOf("browser")],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "container",
          // One at a time, because each lists all containers of the engine.
          fileParallelism: false,
          include: [testsOf("container")],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
