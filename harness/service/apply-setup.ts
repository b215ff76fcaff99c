import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import { FrozenValues, withFrozen } from "../execution/frozen-globals.ts";
import { attributed, isShutdown } from "../execution/system.ts";
import { executeSql } from "./execute-sql.ts";
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
    for (const path of await filesOf(step, file)) {
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

/** The paths that a pattern with `*` in its last part names, in the order of their names: V2 before V10. */
async function filesOf(pattern: string, file: URL): Promise<readonly string[]> {
  const path = resolve(fileURLToPath(new URL(".", file)), pattern);
  const folder = dirname(path);
  const parts = basename(path).split("*");
  const literal = (text: string) => text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
  const matches = new RegExp(`^${parts.map(literal).join(".*")}$`);
  const names = await readdir(folder).catch(() => []);
  const { compare } = new Intl.Collator("en", { numeric: true });
  const found = names.filter((name) => matches.test(name)).sort(compare);
  if (found.length > 0) return found.map((name) => resolve(folder, name));
  throw new HarnessError("USAGE", `the setup names ${pattern}, and there is no such file: ${path}`);
}
