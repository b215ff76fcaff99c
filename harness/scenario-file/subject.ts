import fc from "fast-check";
import type { Command } from "../core/command.ts";
import type { IdFields } from "../core/ids.ts";
import type { Invariant } from "../core/invariant.ts";
import type { Subject } from "../explorer/subject.ts";
import type { ScenarioDefinition } from "./definition.ts";
import { setUp } from "./setup.ts";
import { startScenario } from "./system.ts";

/** What a service may answer; a rule of its own is about those from 500 on. */
const STATUSES = Array.from({ length: 500 }, (_, code) => String(code + 100));

/**
 * A scenario file as a subject of one scenario.
 * @param name how it is found again for a replay: the file's path.
 */
export function scenarioSubject(
  definition: ScenarioDefinition,
  name: string,
  file: URL,
): Subject<null, Command> {
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
    mutants: [],
    ...idsOf(definition),
    sources: [file],
  };
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
      return [{ judge: "invariant", name, message: `${said}${more}`, evidence }];
    },
  };
}

function oneLine(sql: string): string {
  return sql.replaceAll(/\s+/g, " ").trim();
}
