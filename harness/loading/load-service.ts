import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HarnessError } from "../core/error.ts";
import { installFreezing } from "../execution/frozen-globals.ts";
import { specFiles, specService } from "../isolationtester/explore-spec.ts";
import { definedService } from "../service/defined-service.ts";
import { importModule } from "../service/import-module.ts";
import {
  isScenario,
  type ScenarioDefinition,
  scenarioProblem,
} from "../service/scenario-definition.ts";
import { scenarioService } from "../service/scenario-service.ts";
import { type Service, unknownServiceMember } from "../service/service.ts";
import {
  isServiceDefinition,
  looksLikeService,
  serviceDefinitionProblem,
} from "../service/service-definition.ts";
import { freshModule } from "./fresh-modules.ts";
import { orFolderInModels } from "./models-folder.ts";

/** The members that a service must have. */
const REQUIRED_MEMBERS = [
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
 * Loads a service or a scenario: the default export of a file, or of `models/<name>/index` in the working
 * directory or in Heddle's own checkout. A name such as `a.spec,b.sql` (see `specName`)
 * loads a spec.
 * @throws HarnessError USAGE when no such file exists or its default export is neither.
 */
export async function loadService(nameOrPath: string): Promise<Service> {
  const files = specFiles(nameOrPath);
  if (files !== undefined) return specService(nameOrPath, files);
  const file = locateService(nameOrPath);
  const service = await defaultExport(file, "service");
  if (isScenario(service)) return serviceOf(service, nameOrPath, file);
  if (looksLikeService(service)) return definedServiceOf(service, nameOrPath, file);
  if (
    service instanceof Object &&
    ("clients" in service || "setup" in service) &&
    !("migrate" in service)
  ) {
    throw new HarnessError("USAGE", `${nameOrPath} is not a scenario: ${scenarioProblem(service)}`);
  }
  const missing = REQUIRED_MEMBERS.filter(
    (member) => !(service instanceof Object && member in service),
  );
  if (missing.length > 0) {
    throw new HarnessError(
      "USAGE",
      `the default export of ${file} is not a service: it has no ${missing.join(", ")}`,
    );
  }
  const unknown = unknownServiceMember(service as Service);
  if (unknown !== undefined) {
    throw new HarnessError("USAGE", `the service in ${file} has an unknown member: ${unknown}`);
  }
  return service as Service;
}

/**
 * Loads a file with a scenario or a service definition. Throws HarnessError `USAGE` with the reason if it
 * has neither.
 */
export async function loadScenario(path: string): Promise<Service> {
  const file = resolve(path);
  if (!isFile(file)) {
    const why = existsSync(file)
      ? `${path} is a folder`
      : `the scenario file ${path} does not exist`;
    throw new HarnessError("USAGE", `${why}: give the path of a .ts, .js or .mjs file`);
  }
  // Packages may keep references to the functions that are frozen.
  if (/\bfreeze\b/.test(await readFile(file, "utf8"))) installFreezing();
  const definition = await defaultExport(file, "scenario");
  if (isScenario(definition)) return serviceOf(definition, path, file);
  if (looksLikeService(definition)) return definedServiceOf(definition, path, file);
  throw new HarnessError("USAGE", `${path} is not a scenario: ${scenarioProblem(definition)}`);
}

/** Throws HarnessError `USAGE` with the reason if the value is no service definition. */
function definedServiceOf(definition: unknown, name: string, file: string): Service {
  if (isServiceDefinition(definition)) {
    return definedService(definition, name, pathToFileURL(file)) as unknown as Service;
  }
  throw new HarnessError(
    "USAGE",
    `${name} is not a service: ${serviceDefinitionProblem(definition)}`,
  );
}

function serviceOf(definition: ScenarioDefinition, name: string, file: string): Service {
  return scenarioService(definition, name, pathToFileURL(file), async () => {
    const again = await defaultExport(file, "scenario", freshModule(file));
    return isScenario(again) ? again : definition;
  });
}

/** @param url the module's. Default: that of the file. */
async function defaultExport(
  file: string,
  what: string,
  url = pathToFileURL(file).href,
): Promise<unknown> {
  try {
    return await imported(file, url);
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    const why = `${String(cause)}${await placeOf(cause, file)}${moduleAdvice(cause, file)}`;
    throw new HarnessError("USAGE", `the ${what} ${file} cannot be loaded: ${why}`, { cause });
  }
}

/** How long the code of a file may take until it is loaded, in ms. */
const LOAD_MS = 60_000;

/** The default export of a module. Rejects if its top level does not end. */
async function imported(file: string, url: string): Promise<unknown> {
  let patience: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const why = `its code has not ended within ${LOAD_MS / 1_000} s: leave out what its top level awaits`;
    patience = setTimeout(() => reject(why), LOAD_MS);
    // If nothing else can happen, the process ends at once, and says so.
    patience.unref();
  });
  try {
    const module = (await Promise.race([importModule(file, url), late])) as {
      readonly default?: unknown;
    };
    return module.default;
  } finally {
    clearTimeout(patience);
  }
}

/** What to do about a file that is an ES module and that Node took for a CommonJS module. */
export function moduleAdvice(error: unknown, file: string): string {
  const isModule =
    error instanceof Error &&
    /Cannot use import statement outside a module|Unexpected token 'export'|await is only valid in async functions and the top level/.test(
      error.message,
    );
  if (/Cannot find package '[@~#]/.test(String(error)) && /ts$/.test(file)) {
    return "; for a path alias of tsconfig.json, add tsx to the project (npm install --save-dev tsx)";
  }
  if (!isModule) return "";
  const extension = /ts$/.test(file) ? ".mts" : ".mjs";
  return `; add "type": "module" to package.json, or name the file ${extension}`;
}

/** The path of a service's file. Throws HarnessError `USAGE` if it does not exist. */
export function locateService(nameOrPath: string): string {
  const [spec] = specFiles(nameOrPath) ?? [];
  if (spec !== undefined) return resolve(spec);
  const extension = extname(import.meta.url);
  const bundled = fileURLToPath(new URL("../../models/", import.meta.url));
  const candidates = isServiceFile(nameOrPath)
    ? [nameOrPath, `${nameOrPath}/index.ts`, `${nameOrPath}/index.js`]
    : [
        `models/${nameOrPath}/index.ts`,
        `models/${nameOrPath}/index.js`,
        `${bundled}${nameOrPath}/index${extension}`,
      ];
  const file = candidates.map((path) => resolve(path)).find(isFile);
  if (file !== undefined) return file;
  throw new HarnessError(
    "USAGE",
    `there is no service "${nameOrPath}": give the path of its file${orFolderInModels()}`,
  );
}

/** Whether a name is the path of a file or folder, and not the name of a folder in `models/`. */
export function isServiceFile(name: string): boolean {
  return /[\\/]|\.[cm]?[jt]s$/.test(name);
}

function isFile(path: string): boolean {
  return existsSync(path) && extname(path) !== "";
}

/** The sources of Heddle itself. */
const HARNESS_FOLDER = fileURLToPath(new URL("../", import.meta.url));

/** The place of the error in a file that cannot be loaded, as ` (path:line)`; empty if it is unknown. */
async function placeOf(error: unknown, file: string): Promise<string> {
  if (!(error instanceof Error)) return "";
  const place = placeInStack(error.stack ?? "") ?? (await placeOfSyntaxError(error, file));
  return place === undefined ? "" : ` (${place})`;
}

/** A syntax error has its place in the first line of the stack, any other error in the calls. */
function placeInStack(stack: string): string | undefined {
  const [head = "", ...calls] = stack.split("\n");
  const places = [
    /^((?:file:\/\/)?\/.+:\d+)$/.exec(head)?.[1],
    ...calls.map((call) => /^ +at (?:.*[ (])?((?:file:\/\/)?\/[^()]+:\d+):\d+\)?$/.exec(call)?.[1]),
  ].flatMap((place) => (place === undefined ? [] : asPath(place)));
  return places.find(
    (place) => !place.startsWith(HARNESS_FOLDER) && !place.includes("/node_modules/"),
  );
}

function asPath(place: string): string {
  return place.startsWith("file:") ? fileURLToPath(place) : place;
}

/** The error of an `import` does not have the place of a syntax error; `node --check` prints it. */
function placeOfSyntaxError(error: Error, file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (!(error instanceof SyntaxError)) return resolve(undefined);
    execFile(process.execPath, ["--check", file], (_, __, stderr) => resolve(placeInStack(stderr)));
  });
}
