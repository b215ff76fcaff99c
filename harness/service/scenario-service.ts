import fc from "fast-check";
import { DatabaseError } from "pg";
import { isolationNamed } from "../core/control.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Operation } from "../core/operation.ts";
import type { Invariant } from "../core/verdict.ts";
import { FrozenValues, withFrozen } from "../execution/frozen-globals.ts";
import { attributed, isShutdown } from "../execution/system.ts";
import { withClient } from "../postgres/connection.ts";
import type { ScenarioDefinition } from "./scenario-definition.ts";
import { startScenario, THROWN } from "./scenario-system.ts";
import type { Service } from "./service.ts";

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
  const codes = ["OK", ...STATUSES, ...(definition.errors ?? [])];
  return {
    name,
    migrate: (directUrl, _, freeze) => setUpScenario(current, directUrl, freeze),
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
    unexpected: (client, response) => unexpected(client, response, definition.errors ?? []),
    seededBugs: [],
    ...idsOf(definition),
    sources: [file],
  };
}

/** The name of an error's class: the code of an error without one (see `codeOf`). */
const CLASS_NAME = /^[A-Z]\w*[a-z]/;
/** Longer error messages are cut. */
const MAX_MESSAGE_CHARACTERS = 200;

/** The name of a class that says nothing about the error. */
const ANY_ERROR = "Error";

/** What is wrong with an answer whose code the scenario does not have; undefined if it has the message. */
function unexpected(
  client: string,
  { code, body }: Response,
  errors: readonly string[],
): string | undefined {
  const text = body instanceof Object && "message" in body ? String(body["message"]) : "";
  const message = shortMessage(text);
  if (errors.some((error) => error !== "" && (error === text || error === message)))
    return undefined;
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

/** The message on one line; of one that is too long, the line that says what is wrong. */
export function shortMessage(text: string): string {
  const whole = oneLine(text);
  const short = whole.length <= MAX_MESSAGE_CHARACTERS ? whole : oneLine(tellingLine(text));
  return short.slice(0, MAX_MESSAGE_CHARACTERS);
}

/**
 * Python prints the calls first and then the error, and Ruby the error first. Node prints the source
 * line before the error, and other programs may print warnings before it.
 */
function tellingLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const traceback = lines.findLastIndex((line) => line.startsWith("Traceback (most recent call"));
  if (traceback >= 0) {
    const error = lines.slice(traceback + 1).find((line) => /^\S/.test(line));
    if (error !== undefined) return error;
  }
  return (
    lines.find((line) => /^(?=\S).*\b(\w*error|\w*exception|panic|fatal)\b/i.test(line)) ??
    lines[0] ??
    ""
  );
}

/** The fields with generated ids, if executions are compared with serial orders. */
function idsOf({ serialEquivalence = false }: ScenarioDefinition): { ids?: IdFields } {
  if (serialEquivalence === false) return {};
  return { ids: serialEquivalence === true ? {} : serialEquivalence.ids };
}

/** The system evaluates invariants when it observes: the snapshot has their rows by name. */
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
      const text = typeof first["message"] === "string" ? first["message"] : JSON.stringify(first);
      return [{ checker: "invariant", name, message: `${text}${more}`, evidence }];
    },
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** Executes the scenario's setup in an empty database. */
async function setUpScenario(
  { setup }: ScenarioDefinition,
  url: string,
  freeze: string | undefined,
): Promise<void> {
  const call = () =>
    typeof setup === "string" ? executeSql(setup, url) : callAsync(() => setup({ url }));
  const work = freeze === undefined ? call() : withFrozen(new FrozenValues(freeze, "setup"), call);
  // It may use more than the database: a refused connection is the setup's error.
  await attributed("the scenario's setup", work, isShutdown);
}

async function executeSql(sql: string, url: string): Promise<void> {
  try {
    await withClient(url, (client) => client.query(sql));
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.position === undefined) throw error;
    // The position counts characters from 1.
    const line = sql.slice(0, Number(error.position) - 1).split("\n").length;
    throw new Error(`${error.message}, in line ${line}`, { cause: error });
  }
}

/** Turns a synchronous error into a rejection. */
async function callAsync(setup: () => unknown): Promise<void> {
  await setup();
}
