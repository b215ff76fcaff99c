import { escapeLiteral } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { JsonObject } from "../core/json.ts";
import type { Invariant } from "../core/verdict.ts";
import { attributed, isConnectionLost } from "../execution/system.ts";
import { asJson } from "./outcome.ts";
import type { ClientQuery } from "./scenario-definition.ts";
import { oneLine } from "./short-message.ts";

/**
 * The invariant of a definition: SQL that must return no rows, or a function. The system evaluates it
 * when it observes: the snapshot has the rows that break it, by name.
 */
export function invariantOf([name, definition]: readonly [string, unknown]): Invariant {
  const description =
    typeof definition === "string"
      ? `No row: ${oneLine(definition)}`
      : "The definition's function.";
  return {
    name,
    description,
    ...(typeof definition === "string" && { sql: definition }),
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

/** What is there when all clients are done, and not before: an invariant that reads it must wait for that. */
const AT_THE_END = ["answers", "outcomes"];

/** Ends a function that reads what is not there yet. */
class TooEarly extends Error {}

/** The same context while operations are under way. */
function duringExecution<Context extends object>(context: Context): Context {
  return new Proxy(context, {
    get(target, member) {
      if (AT_THE_END.includes(String(member))) throw new TooEarly(`no ${String(member)} yet`);
      return Reflect.get(target, member);
    },
  });
}

/**
 * The rows that break each invariant, by its name. After a commit a function that reads what clients were
 * answered is left out.
 *
 * @param context the argument of functions
 * @throws HarnessError `SERVICE_FAILED` for an invariant that fails by itself
 */
export async function observed<Context extends { readonly query: ClientQuery }>(
  invariants: { readonly [name: string]: string | ((context: Context) => unknown) },
  context: Context,
  when: "end" | "commit" = "end",
): Promise<Snapshot> {
  const broken: Record<string, readonly JsonObject[]> = {};
  const given = when === "commit" ? duringExecution(context) : context;
  if (await allHold(invariants, context.query)) {
    for (const [name, invariant] of Object.entries(invariants)) {
      if (typeof invariant === "string") broken[name] = [];
    }
  }
  for (const [name, invariant] of Object.entries(invariants)) {
    if (broken[name] !== undefined) continue;
    const check = async () =>
      typeof invariant === "string" ? context.query(invariant) : invariant(given);
    const rows = await attributed(`the invariant "${name}"`, brokenRows(name, check));
    if (rows !== undefined) broken[name] = rows;
  }
  return broken;
}

/**
 * Whether no query has a row, in one round trip. Else, and where the queries do not fit into one statement, each is
 * executed for itself.
 */
async function allHold(
  invariants: { readonly [name: string]: unknown },
  query: ClientQuery,
): Promise<boolean> {
  const texts = Object.entries(invariants).filter(([, one]) => typeof one === "string");
  if (texts.length < 2) return false;
  const parts = texts.map(
    ([name, text]) =>
      `select ${escapeLiteral(name)} as invariant, to_jsonb(broken) as row
         from (${String(text).replace(/;\s*$/, "")}\n) as broken`,
  );
  try {
    return (await query(parts.join("\nunion all\n"))).length === 0;
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return false;
  }
}

/**
 * The rows that break an invariant; the message of a failed assertion counts as a row. Undefined if it cannot be
 * evaluated yet.
 */
async function brokenRows(
  name: string,
  check: () => Promise<unknown>,
): Promise<readonly JsonObject[] | undefined> {
  try {
    const rows = (await check()) ?? [];
    if (Array.isArray(rows)) return asJson(rows);
  } catch (error) {
    if (error instanceof TooEarly) return undefined;
    if (!(error instanceof Error) || error.name !== "AssertionError") throw error;
    return [{ message: error.message.split("\n", 1)[0] ?? error.message }];
  }
  throw new HarnessError(
    "SERVICE_FAILED",
    `the invariant "${name}" must return a list of the rows that break it, or nothing`,
  );
}
