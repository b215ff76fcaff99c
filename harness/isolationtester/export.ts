import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { SystemFactory } from "../execution/system.ts";
import { loadParser } from "../parser/sql.ts";
import type { Server } from "../postgres/provider.ts";
import { exportedSpec } from "./exported-spec.ts";
import { parseSpec } from "./parse.ts";
import { psqlScripts } from "./psql-scripts.ts";
import { recordSetup } from "./record-setup.ts";
import { exportedSteps, type Reproduction } from "./reproduction.ts";
import { runSpec } from "./run-spec.ts";

/** What an export is made from. */
export interface ExportSource<State extends Json, Op extends Operation> {
  readonly server: Server;
  /** The service's setup, with the seeded bug or mutant that was on. */
  readonly setup: SystemFactory<State, Op>;
  readonly counterexample: Pick<Counterexample, "service" | "mutant" | "violations" | "control">;
  /** The execution that broke the rule, or its replay. */
  readonly execution: Execution<State, Op>;
  /**
   * Searches for an execution of the same scenario that breaks the same rule with gates between
   * statements only. Called where the violation needs gates inside the server.
   */
  readonly searchStatements: () => Promise<Execution<State, Op> | undefined>;
}

const SPEC = "reproduction.spec";

/**
 * An export needs a superuser, since its scripts restore rows without triggers and checks of foreign keys.
 *
 * @throws HarnessError UNSUPPORTED for a server whose role is none.
 */
export function requireExportRights({ superuser }: Pick<Server, "superuser">): void {
  if (superuser) return;
  throw new HarnessError(
    "UNSUPPORTED",
    "an export needs a superuser, since its scripts restore rows without triggers: use --postgres embedded, or the URL of a superuser",
  );
}

/**
 * Writes files that show a violation without Heddle: psql scripts with the order in which to press
 * return, an isolationtester spec, and the output of that spec when it was run here.
 * @returns the reproduction; or a sentence that says why there is none, where only gates inside the
 * server show the violation.
 * @throws HarnessError USAGE when the folder cannot be written; UNSUPPORTED when the server's role is no
 * superuser.
 */
export async function exportReproduction<State extends Json, Op extends Operation>(
  { server, setup, counterexample, execution, searchStatements }: ExportSource<State, Op>,
  folder: string,
): Promise<Reproduction | string> {
  requireExportRights(server);
  await loadParser();
  const { obstacle } = exportedSteps(execution.trace);
  const exported = obstacle === undefined ? execution : await searchStatements();
  if (exported === undefined) {
    return `${obstacle}; and no order of whole statements that was tried breaks the same rule.`;
  }
  const { steps } = exportedSteps(exported.trace);
  const recorded = await recordSetup(server, setup, execution.scenario.initial);
  const reproduction = { counterexample, steps, ...recorded };
  const spec = exportedSpec(reproduction);
  // Nothing is written unless the reproduction runs.
  const output = await outputOf(server, spec);
  const files = [...psqlScripts(reproduction), [SPEC, spec], ["reproduction.out", output]] as const;
  await write(folder, new Map(files));
  return reproduction;
}

async function outputOf(server: Server, text: string): Promise<string> {
  let output = "";
  await runSpec(server, parseSpec(text, SPEC), {
    name: "reproduction",
    print: (part) => {
      output += part;
    },
    stepTimeoutMs: 10_000,
    signal: undefined,
  });
  return output;
}

async function write(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of files) await writeFile(join(folder, name), text);
  } catch (cause) {
    const message = `Cannot write to the folder ${folder}: name another folder with --export.`;
    throw new HarnessError("USAGE", message, { cause });
  }
}
