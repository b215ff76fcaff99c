import { unknownKey } from "../core/unknown-key.ts";

/** The members of a type. The compiler sees to it that none is missing. */
export function keysOf<T>(keys: { readonly [key in keyof Required<T>]: true }): readonly string[] {
  return Object.keys(keys);
}

/** An object that is no list. */
export function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** That a value has a member which is none of the known ones; undefined if all are known. */
export function unknownMember(
  value: { readonly [name: string]: unknown },
  known: readonly string[],
): string | undefined {
  const problem = unknownKey(value, known);
  return problem && `has an unknown member: ${problem}`;
}

export const isText = (value: unknown): value is string => typeof value === "string";
export const isFunction = (value: unknown): boolean => typeof value === "function";

/** Whether a value begins a program: `exec` is its name and its arguments. */
export function isProgram(value: unknown): value is { readonly [name: string]: unknown } {
  if (!isRecord(value) || !Array.isArray(value["exec"])) return false;
  return value["exec"].length > 0 && value["exec"].every(isText);
}
