import fc from "fast-check";
import { isolationNamed } from "../core/control.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Operation } from "../core/operation.ts";
import { applySetup } from "./apply-setup.ts";
import { isExpected, messageOf } from "./expected-error.ts";
import { invariantOf } from "./invariant-definition.ts";
import { THROWN } from "./outcome.ts";
import type { ScenarioDefinition } from "./scenario-definition.ts";
import { startScenario } from "./scenario-system.ts";
import type { Service } from "./service.ts";
import { shortMessage } from "./short-message.ts";
import { prepareSnapshot } from "./snapshot.ts";

/** The HTTP statuses that a client may get: 100 to 599. Another rule rejects those from 500 on. */
const STATUSES = Array.from({ length: 500 }, (_, code) => String(code + 100));

/**
 * A scenario file as a service with a single scenario.
 * @param name the path of the file, by which a replay loads it again.
 * @param reload loads the file again, as a new module.
 */
export function scenarioService(
  definition: ScenarioDefinition,
  name: string,
  file: URL,
  reload?: () => Promise<ScenarioDefinition>,
): Service<null, Operation> {
  let current = definition;
  const clients = Object.keys(definition.clients);
  const scenario = { initial: null, clients: clients.map((client) => [{ name: client }]) };
  const isolation = isolationNamed(definition.isolation ?? "");
  const codes = ["OK", ...STATUSES];
  const { errors = [] } = definition;
  return {
    name,
    migrate: (directUrl, _, freeze) => applySetup(current, directUrl, file, freeze),
    ...(definition.reset === undefined && { prepare: prepareSnapshot }),
    ...(definition.freeze !== undefined && { freeze: definition.freeze }),
    start: (context) => startScenario(current, context, file),
    ...(reload && {
      refresh: async () => {
        current = await reload();
      },
    }),
    scenarios: () => fc.constant(scenario),
    single: true,
    ...(definition.service && "exec" in definition.service && { ownProcess: true }),
    ...(isolation && { isolation }),
    clientNames: clients,
    patterns: [],
    invariants: Object.entries(definition.invariants ?? {}).map(invariantOf),
    codes: Object.fromEntries(clients.map((client) => [client, codes])),
    expects: (_, response) => isExpected(response, errors),
    unexpected,
    seededBugs: [],
    ...idsOf(definition),
    sources: [file],
  };
}

/** The name of an error's class: the code of an error without one (see `codeOf`). */
const CLASS_NAME = /^[A-Z]\w*[a-z]/;

/** The name of a class that says nothing about the error. */
const ANY_ERROR = "Error";

/** What is wrong with an answer whose code the scenario does not have. */
function unexpected(client: string, response: Response): string {
  const { code } = response;
  const message = shortMessage(messageOf(response));
  const named = CLASS_NAME.test(code) && message !== "" ? `${code}: ${message}` : code;
  const what =
    code === THROWN
      ? `threw ${message}`
      : CLASS_NAME.test(code)
        ? `threw ${named}`
        : `ended with ${code}${message && ` (${message})`}`;
  const telling = message !== "" && (code === THROWN || code === ANY_ERROR) ? message : code;
  return (
    `client ${client} ${what}, which the scenario does not expect: ` +
    `add errors: [${JSON.stringify(telling)}] if it should`
  );
}

/** The fields with generated ids, if executions are compared with serial orders. */
function idsOf({ serialEquivalence = false }: ScenarioDefinition): { ids?: IdFields } {
  if (serialEquivalence === false) return {};
  return { ids: serialEquivalence === true ? {} : serialEquivalence.ids };
}
