import fc from "fast-check";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Invariant } from "../core/invariant.ts";
import type { Operation } from "../core/operation.ts";
import type { ScenarioDefinition } from "./scenario-definition.ts";
import { startScenario, THROWN } from "./scenario-system.ts";
import type { Service } from "./service.ts";
import { setUp } from "./setup.ts";

/** What a service may answer; a rule of its own is about those from 500 on. */
const STATUSES = Array.from({ length: 500 }, (_, code) => String(code + 100));

/**
 * A scenario file as a service of one scenario.
 * @param name how it is found again for a replay: the file's path.
 */
export function scenarioService(
  definition: ScenarioDefinition,
  name: string,
  file: URL,
): Service<null, Operation> {
  const clients = Object.keys(definition.clients);
  const scenario = { initial: null, clients: clients.map((client) => [{ name: client }]) };
  const codes = ["OK", ...STATUSES, ...(definition.errors ?? [])];
  return {
    name,
    migrate: (directUrl) => setUp(definition, directUrl),
    start: (context) => startScenario(definition, context, file),
    scenarios: () => fc.constant(scenario),
    single: true,
    patterns: [],
    invariants: Object.entries(definition.invariants ?? {}).map(invariantOf),
    codes: Object.fromEntries(clients.map((client) => [client, codes])),
    unexpected,
    seededBugs: [],
    ...idsOf(definition),
    sources: [file],
  };
}

/** The name of an error's class, which stands for an error that has no code (see `codeOf`). */
const CLASS = /^[A-Z]\w*[a-z]/;
/** How much of an error's message is quoted. */
const QUOTED = 200;

function unexpected(client: string, { code, body }: Response): string {
  const given = body instanceof Object && "message" in body ? String(body["message"]) : "";
  const message = oneLine(given).slice(0, QUOTED);
  if (code === THROWN) return `client ${client} threw ${message}`;
  if (CLASS.test(code)) return `client ${client} threw ${message ? `${code}: ${message}` : code}`;
  return (
    `client ${client} ended with ${code}${message && ` (${message})`}, which the scenario does not ` +
    `expect: add errors: ["${code}"] if that is right`
  );
}

/** By which serial orders are compared, if they are to be. */
function idsOf({ serialEquivalence = false }: ScenarioDefinition): { ids?: IdFields } {
  if (serialEquivalence === false) return {};
  return { ids: serialEquivalence === true ? {} : serialEquivalence.ids };
}

/** What an invariant found is what the system observed under its name. */
function invariantOf([name, definition]: [
  string,
  NonNullable<ScenarioDefinition["invariants"]>[string],
]): Invariant {
  const description =
    typeof definition === "string" ? `No row: ${oneLine(definition)}` : "The scenario's function.";
  return {
    name,
    description,
    check: (snapshot) => {
      const evidence = snapshot[name] ?? [];
      const [first] = evidence;
      if (first === undefined) return [];
      const more = evidence.length > 1 ? ` and ${evidence.length - 1} more` : "";
      const said = typeof first["message"] === "string" ? first["message"] : JSON.stringify(first);
      return [{ checker: "invariant", name, message: `${said}${more}`, evidence }];
    },
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
