import type { Json } from "./json.ts";
import type { Operation } from "./operation.ts";

/** An initial state, plus one list of operations for each concurrent client, sent in order. */
export interface Scenario<State extends Json = Json, Op extends Operation = Operation> {
  readonly initial: State;
  readonly clients: readonly (readonly Op[])[];
}

export function operationCount(scenario: Scenario): number {
  return scenario.clients.reduce((sum, operations) => sum + operations.length, 0);
}
