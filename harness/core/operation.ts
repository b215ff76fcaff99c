import type { Json } from "./json.ts";

/**
 * An input to the service, as data: its name and its arguments. It is serializable, so that a replay
 * file can hold it, and makes no assertion.
 */
export interface Operation {
  readonly name: string;
  readonly [argument: string]: Json;
}
