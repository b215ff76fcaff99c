import type { Command } from "./command.ts";
import type { Json } from "./json.ts";

/** An initial state, plus one list of commands for each concurrent client, sent in order. */
export interface Scenario<State extends Json = Json, C extends Command = Command> {
  readonly initial: State;
  readonly clients: readonly (readonly C[])[];
}

export function commandCount(scenario: Scenario): number {
  return scenario.clients.reduce((sum, commands) => sum + commands.length, 0);
}
