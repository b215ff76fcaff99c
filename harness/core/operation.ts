import type { Json } from "./json.ts";

/**
 * An input to the service, as data: its name and whatever arguments the model gives it. It is
 * serializable, so that a replay file can carry it, and it does not assert.
 */
export interface Operation {
  readonly name: string;
  readonly [argument: string]: Json;
}
