import { HarnessError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import type { Invariant } from "../core/verdict.ts";
import { asJson, oneLine } from "./outcome.ts";

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

/** The rows that break an invariant; the message of a failed assertion counts as a row. */
export async function brokenRows(
  name: string,
  check: () => Promise<unknown>,
): Promise<readonly JsonObject[]> {
  try {
    const rows = (await check()) ?? [];
    if (Array.isArray(rows)) return asJson(rows);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AssertionError") throw error;
    return [{ message: error.message.split("\n", 1)[0] ?? error.message }];
  }
  throw new HarnessError(
    "SERVICE_FAILED",
    `the invariant "${name}" must return a list of the rows that break it, or nothing`,
  );
}
