import type { ScenarioDefinition } from "./scenario-definition.ts";

export function isScenario(value: unknown): value is ScenarioDefinition {
  return scenarioProblem(value) === undefined;
}

/** Why a value is no scenario; undefined when it is one. */
export function scenarioProblem(value: unknown): string | undefined {
  if (!isRecord(value)) return "it has no `export default defineScenario({ … })`";
  const { setup, clients, invariants = {}, errors = [], reset = "", service } = value;
  if (!isText(setup) && !isFunction(setup)) return "`setup` is neither SQL nor a function";
  if (!isRecord(clients)) return "`clients` is no object of functions by name";
  const names = Object.keys(clients);
  if (names.length === 0) return "`clients` is empty: a race takes two";
  const odd = names.find((name) => !isClient(clients[name]));
  if (odd !== undefined) {
    return `the client "${odd}" is neither a function, nor has it an \`exec\` or an \`http\``;
  }
  if (service !== undefined && !isProgram(service) && !isRunning(service)) {
    return "`service` has neither an `exec`, nor a `url` and a `databasePort`";
  }
  if (!isRecord(invariants)) return "`invariants` is no object of SQL or functions by name";
  const unclear = Object.entries(invariants).find(([, it]) => !isText(it) && !isFunction(it));
  if (unclear !== undefined) return `the invariant "${unclear[0]}" is neither SQL nor a function`;
  if (!Array.isArray(errors) || !errors.every(isText)) return "`errors` is no list of codes";
  if (!isText(reset) && !isFunction(reset)) return "`reset` is neither SQL nor a function";
  return undefined;
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isClient(value: unknown): boolean {
  if (isFunction(value) || isProgram(value)) return true;
  return isRecord(value) && isRecord(value["http"]) && isText(value["http"]["path"]);
}

function isRunning(value: unknown): boolean {
  return isRecord(value) && isText(value["url"]) && Number.isInteger(value["databasePort"]);
}

function isProgram(value: unknown): boolean {
  if (!isRecord(value) || !Array.isArray(value["exec"])) return false;
  return value["exec"].length > 0 && value["exec"].every(isText);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isFunction = (value: unknown): boolean => typeof value === "function";
