import { existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HarnessError } from "../core/error.ts";
import { unknownKey } from "../core/unknown-key.ts";
import { specFiles } from "../isolationtester/explore-spec.ts";
import { loadService, locateService, moduleAdvice } from "../loading/load-service.ts";
import type { Service } from "../service/service.ts";

/** The files that may name a project's service; the first that exists counts. */
const CONFIG_FILES = ["ts", "js", "mjs", "json"].map((extension) => `heddle.config.${extension}`);

/**
 * The service that a command works on: `given`, or the `service` of `heddle.config.*` in the working
 * directory. `loadService` takes the result.
 *
 * @throws HarnessError `USAGE` if there is neither
 */
export async function serviceName(given: string | undefined): Promise<string> {
  const service = given ?? (await configuredService());
  if (service !== undefined) return service;
  throw usage(
    "no service is given: name its file, or write a heddle.config.mjs with " +
      '`export default { service: "path/of/service.mjs" }`. ' +
      "To begin with a scenario, run `npx heddle init`",
  );
}

/**
 * Loads the service that a command works on (see `serviceName`), with the options that a replay needs
 * to find it again.
 *
 * @param invariant the files of `--invariant`
 */
export async function loadGivenService(
  given: string | undefined,
  invariant: readonly string[] = [],
): Promise<{ readonly name: string; readonly service: Service }> {
  const name = await serviceName(given);
  const service = await loadService(name);
  return { name, service: forReplay(service, given, invariant) };
}

/** The service with the options of `heddle replay` by which it is found and completed. */
export function forReplay(
  service: Service,
  given: string | undefined,
  invariant: readonly string[] = [],
): Service {
  const named = given === undefined || locationOf(service.name) === locationOf(given);
  const replayWith = [
    ...(named ? [] : ["--service", given]),
    ...(invariant.length === 0 ? [] : ["--invariant", ...invariant]),
  ];
  return replayWith.length === 0 ? service : { ...service, replayWith };
}

/** The service in `heddle.config.*`, or undefined if there is no such file. */
export async function configuredService(): Promise<string | undefined> {
  const file = CONFIG_FILES.find((name) => existsSync(resolve(name)));
  if (file === undefined) return undefined;
  const config = await readConfig(resolve(file)).catch((cause: unknown) => {
    throw usage(`${file} cannot be loaded: ${String(cause)}${moduleAdvice(cause, file)}`, cause);
  });
  const unknown = config instanceof Object ? unknownKey({ ...config }, ["service"]) : undefined;
  if (unknown !== undefined) throw usage(`${file} has an unknown member: ${unknown}`);
  if (config instanceof Object && "service" in config && typeof config.service === "string") {
    return config.service;
  }
  throw usage(
    `${file} names no service: it needs \`export default { service: "path/of/service.mjs" }\`` +
      (file.endsWith(".json") ? ', as JSON: { "service": "path/of/service.mjs" }' : ""),
  );
}

async function readConfig(file: string): Promise<unknown> {
  if (file.endsWith(".json")) return JSON.parse(await readFile(file, "utf8"));
  const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
  return module.default;
}

/**
 * Loads the service of a counterexample, which has its name only: from `given`, from a file or a
 * folder in `models/` of that name, or from `heddle.config.*`.
 *
 * @throws HarnessError `USAGE` if none of them is it
 */
export async function loadRecordedService(
  recorded: string,
  given: string | undefined,
): Promise<Service> {
  if (given !== undefined) return loadService(given);
  if (locationOf(recorded) !== undefined) {
    await requireInside(recorded);
    return loadService(recorded);
  }
  const configured = await configuredService();
  const service = configured === undefined ? undefined : await loadService(configured);
  if (service?.name === recorded) return service;
  throw usage(
    `the service "${recorded}" of the counterexample is not found here: give its file with --service`,
  );
}

/** The services that come with Heddle. */
const BUNDLED = fileURLToPath(new URL("../../models/", import.meta.url));

/**
 * A counterexample is data that others may have written: of the files that it names, only those below the
 * working folder are executed. Links count as the files to which they lead.
 */
async function requireInside(recorded: string): Promise<void> {
  const inside = await Promise.all(
    [process.cwd(), BUNDLED].map((folder) => realpath(folder).catch(() => "")),
  );
  for (const file of specFiles(recorded) ?? [locateService(recorded)]) {
    const path = await realpath(file).catch(() => resolve(file));
    if (inside.some((folder) => folder !== "" && path.startsWith(folder + sep))) continue;
    throw usage(
      `the counterexample names the service ${recorded}, which is outside the working folder, and so is not executed: if it is yours, name it with --service`,
    );
  }
}

/** The path of the file of a service; undefined if there is none of that name. */
function locationOf(name: string): string | undefined {
  try {
    return locateService(name);
  } catch (error) {
    if (error instanceof HarnessError) return undefined;
    throw error;
  }
}

function usage(message: string, cause?: unknown): HarnessError {
  return new HarnessError("USAGE", message, { cause });
}
