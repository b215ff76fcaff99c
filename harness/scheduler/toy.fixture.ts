import { type Choice, isPreemption, type Lane } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** Each client's commands, by their number of statements. */
export type Toy = readonly (readonly number[])[];

/** One walk through a toy: what was chosen, from what, and how many preemptions that made. */
export interface Walk {
  readonly lanes: readonly Lane[];
  readonly enabled: readonly (readonly Choice[])[];
  readonly preemptions: number;
}

/**
 * A system without a database: each client's command is a start, then its statements; nobody waits.
 * `blocked` takes away what cannot move.
 */
export function walk(
  toy: Toy,
  scheduler: Scheduler,
  blocked: (lane: Lane, lanes: readonly Lane[]) => boolean = () => false,
): Walk {
  const left = toy.map((commands) => commands.flatMap(actionsOf));
  const lanes: Lane[] = [];
  const seen: Choice[][] = [];
  let preemptions = 0;
  for (;;) {
    const enabled = left.flatMap(([action], client): Choice[] => {
      const lane = String(client);
      return action === undefined || blocked(lane, lanes) ? [] : [{ lane, action }];
    });
    if (enabled.length === 0) return { lanes, enabled: seen, preemptions };
    const { lane } = scheduler.choose(enabled, lanes.at(-1));
    if (isPreemption(lanes.at(-1), lane, enabled)) preemptions++;
    left[Number(lane)]?.shift();
    lanes.push(lane);
    seen.push(enabled);
  }
}

function actionsOf(statements: number): Choice["action"][] {
  return ["start", ...Array.from({ length: statements }, (): Choice["action"] => "release")];
}
