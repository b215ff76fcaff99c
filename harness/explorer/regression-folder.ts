import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Counterexample } from "../core/counterexample.ts";
import { atomicWrite } from "./atomic-write.ts";
import {
  decodeRegression,
  encodeRegression,
  type Regression,
  regressionName,
  regressionOf,
} from "./regression.ts";

/** A regression and the file that holds it. */
export interface KeptRegression {
  readonly file: string;
  readonly regression: Regression;
}

/** The regressions of one model: a file for each. */
export class RegressionFolder {
  readonly path: string;

  constructor(folder: string) {
    this.path = folder;
  }

  /**
   * Beside the file of the model, if that is part of the project in `directory`; else, as with a
   * model that is installed, in the project itself.
   */
  static of(modelFile: string, model: string, directory = process.cwd()): RegressionFolder {
    const relative = path.relative(directory, modelFile);
    const parts = relative.split(path.sep);
    const own = parts[0] !== ".." && !path.isAbsolute(relative) && !parts.includes("node_modules");
    return new RegressionFolder(
      own
        ? path.join(path.dirname(modelFile), "regressions")
        : path.join(directory, "regressions", model),
    );
  }

  /**
   * All of the model's, by name. Those of others that lie in the same folder are left alone.
   *
   * @throws HarnessError `USAGE` when one of them cannot be read
   */
  async kept(model: string): Promise<readonly KeptRegression[]> {
    const names = await readdir(this.path).catch(() => []);
    const files = names.filter((name) => name.endsWith(".json")).sort();
    const all = await Promise.all(
      files.map(async (name) => {
        const file = path.join(this.path, name);
        return { file, regression: decodeRegression(await readFile(file, "utf8"), file) };
      }),
    );
    return all.filter(({ regression }) => regression.service === model);
  }

  /** Writes what a counterexample needs to be executed again; returns the file. */
  async keep(
    counterexample: Parameters<typeof regressionOf>[0] & Partial<Counterexample>,
  ): Promise<string> {
    const regression = regressionOf(counterexample);
    const file = path.join(this.path, regressionName(regression));
    await atomicWrite(file, encodeRegression(regression));
    return file;
  }

  async remove(file: string): Promise<void> {
    await rm(file, { force: true });
  }
}
