import type { Json } from "./json.ts";
import type { Operation } from "./operation.ts";

/** An initial state, and for each concurrent client the operations that it sends, in order. */
export interface Scenario<State extends Json = Json, Op extends Operation = Operation> {
  readonly initial: State;
  readonly clients: readonly (readonly Op[])[];
}

export function operationCount(scenario: Scenario): number {
  return scenario.clients.reduce((sum, operations) => sum + operations.length, 0);
}
