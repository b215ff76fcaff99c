import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Executor } from "../execution/executor.ts";
import type { SystemFactory } from "../execution/system.ts";
import type { Server } from "../postgres/provider.ts";
import type { Service } from "../service/service.ts";
import { storyOf } from "./exported-steps.ts";
import { parseSpec } from "./parse.ts";
import { psqlScripts } from "./psql-scripts.ts";
import { recordSetup } from "./recorded-setup.ts";
import type { Reproduction } from "./reproduction.ts";
import { runSpec } from "./run-spec.ts";
import { specFile } from "./spec-file.ts";
import { loadScanner } from "./sql-text.ts";
import { searchFor } from "./statement-level.ts";

/** What an export is made of. */
export interface ExportSource<State extends Json, Op extends Operation> {
  readonly server: Server;
  readonly service: Service<State, Op>;
  /** The service's, with the mutant that was on. */
  readonly setup: SystemFactory<State, Op>;
  /** An executor for the same setup under another control. */
  readonly open: (control: Control) => Promise<Executor<State, Op>>;
  readonly found: Pick<Counterexample, "service" | "mutant" | "violations" | "control">;
  /** In which it was found, or was seen again. */
  readonly execution: Execution<State, Op>;
}

const SPEC = "reproduction.spec";

/**
 * Writes what somebody without Heddle needs to see a violation: psql scripts with the order in which
 * to press return, an isolationtester spec, and what came of that when it was run here.
 * @returns the reproduction; or why there is none, in a sentence, where only gates inside the server
 * show the violation.
 * @throws HarnessError USAGE when the folder cannot be written.
 */
export async function exportReproduction<State extends Json, Op extends Operation>(
  source: ExportSource<State, Op>,
  folder: string,
): Promise<Reproduction | string> {
  const { server, setup, found, execution } = source;
  await loadScanner();
  const direct = storyOf(execution.trace);
  const story = direct.obstacle === undefined ? direct : await coarser(source);
  if (story === undefined) {
    return `${direct.obstacle}; and no order of whole statements that was tried breaks the same rule.`;
  }
  const around = await recordSetup(server, setup, execution.scenario.initial);
  const reproduction = { of: found, steps: story.steps, ...around };
  const spec = specFile(reproduction);
  await write(folder, new Map([...psqlScripts(reproduction), [SPEC, spec]]));
  await write(folder, new Map([["reproduction.out", await outcomeOf(server, spec)]]));
  return reproduction;
}

/** The same violation with gates between statements only, as others have them. */
async function coarser<State extends Json, Op extends Operation>({
  open,
  service,
  found,
  execution,
}: ExportSource<State, Op>) {
  const [rule] = found.violations;
  if (rule === undefined) return undefined;
  const executor = await open({ ...found.control, gates: ["statement"] });
  try {
    const other = await searchFor(executor, service, execution.scenario, rule);
    return other && storyOf(other.trace);
  } finally {
    await executor.close();
  }
}

async function outcomeOf(server: Server, text: string): Promise<string> {
  let outcome = "";
  await runSpec(server, parseSpec(text, SPEC), {
    name: "reproduction",
    print: (part) => {
      outcome += part;
    },
    stepTimeoutMs: 10_000,
    signal: undefined,
  });
  return outcome;
}

async function write(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of files) await writeFile(join(folder, name), text);
  } catch (cause) {
    const message = `Nothing can be written to ${folder}: name another folder with --export.`;
    throw new HarnessError("USAGE", message, { cause });
  }
}
