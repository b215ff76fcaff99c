import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";

/**
 * The scenario with one argument of one operation away, or plainer: numbers towards 0 and 1, texts
 * and lists shorter, false for true. Each step is towards less, so that taking steps comes to an
 * end. Many of these are no operations of the service at all.
 */
export function* shrinkArguments<State extends Json, Op extends Operation>({
  initial,
  clients,
}: Scenario<State, Op>): Generator<Scenario<State, Op>> {
  for (const [client, operations] of clients.entries()) {
    for (const [index, { name, ...given }] of operations.entries()) {
      for (const less of plainer(given)) {
        const operation = { name, ...(less as typeof given) } as Op;
        yield { initial, clients: clients.with(client, operations.with(index, operation)) };
      }
    }
  }
}

function* plainer(value: Json): Generator<Json> {
  if (typeof value === "number") yield* smallerNumbers(value);
  else if (typeof value === "string") yield* shorterTexts(value);
  else if (value === true) yield false;
  else if (Array.isArray(value)) {
    for (const index of value.keys()) yield value.toSpliced(index, 1);
    for (const [index, item] of value.entries()) {
      for (const less of plainer(item)) yield value.with(index, less);
    }
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    for (const index of entries.keys()) yield Object.fromEntries(entries.toSpliced(index, 1));
    for (const [index, [key, item]] of entries.entries()) {
      for (const less of plainer(item)) yield Object.fromEntries(entries.with(index, [key, less]));
    }
  }
}

function* smallerNumbers(value: number): Generator<number> {
  if (value !== 0) yield 0;
  if (value < 0) yield -value;
  if (Math.abs(value) > 1) yield 1;
  if (value > 2) yield Math.floor(value / 2);
}

/** By characters, not by halves of them. */
function* shorterTexts(value: string): Generator<string> {
  const characters = [...value];
  if (characters.length > 0) yield "";
  if (characters.length > 1) yield characters.slice(0, Math.floor(characters.length / 2)).join("");
}
