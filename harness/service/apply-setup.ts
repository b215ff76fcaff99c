import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import { FrozenValues, withFrozen } from "../execution/frozen-globals.ts";
import { attributed, isShutdown } from "../execution/system.ts";
import { executeSql } from "./execute-sql.ts";
import { filesOf } from "./file-patterns.ts";
import { startProgram } from "./program.ts";
import type { Program, SetupStep } from "./scenario-definition.ts";

/** The path of a file, or a pattern of paths: SQL has white space, or does not end so. */
const SQL_FILES = /^\S+\.sql$/;

/**
 * Executes the setup of a definition in an empty database, step by step.
 *
 * @param freeze see `Control.freeze`
 *
 * @throws HarnessError `USAGE` for a file that there is not, `SERVICE_FAILED` for a step that fails
 */
export async function applySetup(
  { setup }: { readonly setup: SetupStep | readonly SetupStep[] },
  url: string,
  file: URL,
  freeze?: string,
): Promise<void> {
  const steps: readonly SetupStep[] = Array.isArray(setup) ? setup : [setup as SetupStep];
  for (const step of steps) await apply(step, url, file, freeze);
}

async function apply(
  step: SetupStep,
  url: string,
  file: URL,
  time: string | undefined,
): Promise<void> {
  // It may use more than the database: a refused connection is the setup's error.
  const executed = (what: string, work: Promise<void>) =>
    attributed(`the setup${what}`, work, isShutdown);
  if (typeof step === "function") {
    const call = async () => void (await step({ url }));
    const work = time === undefined ? call() : withFrozen(new FrozenValues(time, "setup"), call);
    await executed("'s function", work);
  } else if (typeof step === "object") {
    await executed(` ${step.exec.join(" ")}`, runProgram(step, url, file, time));
  } else if (SQL_FILES.test(step)) {
    const paths = filesOf(step, file);
    if (paths.length === 0) {
      const path = resolve(fileURLToPath(new URL(".", file)), step);
      const message = `the setup names ${step}, and there is no such file: ${path}`;
      throw new HarnessError("USAGE", message);
    }
    for (const path of paths) {
      await executed(` ${path}`, executeSql(await readFile(path, "utf8"), url));
    }
  } else {
    await executed("'s SQL", executeSql(step, url));
  }
}

async function runProgram(
  step: Program,
  url: string,
  file: URL,
  time: string | undefined,
): Promise<void> {
  const { signal } = new AbortController();
  const preload = time === undefined ? {} : { preload: { freeze: { time, seed: "setup" } } };
  const { code, stdout, stderr } = await startProgram(step, { url, file, signal, ...preload })
    .ended;
  if (code !== "EXIT_0") throw new Error(`it ended with ${code}: ${stderr || stdout}`);
}
