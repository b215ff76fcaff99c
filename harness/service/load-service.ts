import { existsSync } from "node:fs";
import { extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HarnessError } from "../core/error.ts";
import { specFiles, specService } from "../isolationtester/spec-service.ts";
import { placeOf } from "./error-place.ts";
import { isScenario, scenarioProblem } from "./scenario-problem.ts";
import { scenarioService } from "./scenario-service.ts";
import type { Service } from "./service.ts";

const PARTS = [
  "name",
  "migrate",
  "start",
  "scenarios",
  "patterns",
  "invariants",
  "codes",
  "seededBugs",
  "sources",
];

/**
 * Loads what is to be verified: the default export of a file, or of `models/<name>/index` in the
 * working directory, or of a model that comes with Heddle. Throws HarnessError `USAGE`.
 */
export async function loadService(nameOrPath: string): Promise<Service> {
  const files = specFiles(nameOrPath);
  if (files !== undefined) return specService(nameOrPath, files);
  const file = locateService(nameOrPath);
  const service = await defaultExport(file, "service");
  if (isScenario(service)) return scenarioService(service, nameOrPath, pathToFileURL(file));
  const missing = PARTS.filter((part) => !(service instanceof Object && part in service));
  if (missing.length > 0) {
    throw new HarnessError(
      "USAGE",
      `the default export of ${file} is no model: it has no ${missing.join(", ")}`,
    );
  }
  return service as Service;
}

/** Loads a scenario file. Throws HarnessError `USAGE` that says why it is none. */
export async function loadScenario(path: string): Promise<Service> {
  const file = resolve(path);
  if (!isFile(file)) {
    throw new HarnessError(
      "USAGE",
      `there is no scenario file ${path}: give the path of a .ts, .js or .mjs file`,
    );
  }
  const definition = await defaultExport(file, "scenario");
  if (isScenario(definition)) return scenarioService(definition, path, pathToFileURL(file));
  throw new HarnessError("USAGE", `${path} is no scenario: ${scenarioProblem(definition)}`);
}

async function defaultExport(file: string, what: string): Promise<unknown> {
  if (/\.[cm]?ts$/.test(file) && !process.features.typescript) {
    throw new HarnessError(
      "USAGE",
      `the ${what} ${file} cannot be loaded: Node ${process.versions.node} runs no TypeScript; ` +
        "take Node 22.18 or later, or write it as a .mjs file",
    );
  }
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
    return module.default;
  } catch (cause) {
    const why = `${String(cause)}${await placeOf(cause, file)}`;
    throw new HarnessError("USAGE", `the ${what} ${file} cannot be loaded: ${why}`, { cause });
  }
}

/** The model's file. Throws HarnessError `USAGE` when there is none. */
export function locateService(nameOrPath: string): string {
  const [spec] = specFiles(nameOrPath) ?? [];
  if (spec !== undefined) return resolve(spec);
  const looksLikePath = /[\\/]|\.[cm]?[jt]s$/.test(nameOrPath);
  const extension = extname(import.meta.url);
  const own = fileURLToPath(new URL("../../models/", import.meta.url));
  const candidates = looksLikePath
    ? [nameOrPath, `${nameOrPath}/index.ts`, `${nameOrPath}/index.js`]
    : [
        `models/${nameOrPath}/index.ts`,
        `models/${nameOrPath}/index.js`,
        `${own}${nameOrPath}/index${extension}`,
      ];
  const file = candidates.map((path) => resolve(path)).find(isFile);
  if (file !== undefined) return file;
  throw new HarnessError(
    "USAGE",
    `there is no model "${nameOrPath}": give the path of its file, or the name of a folder in models/`,
  );
}

function isFile(path: string): boolean {
  return existsSync(path) && extname(path) !== "";
}
