import type { Command } from "../core/command.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { endsProcess, type Fault } from "../core/fault.ts";
import type { Response } from "../core/history.ts";
import { type Action, BACKGROUND, clientOf, type Lane, laneOf } from "../core/schedule.ts";
import type { Place, Result, Statement, TraceEvent } from "../core/trace.ts";
import { clientLane } from "./one-line.ts";

/** One thing that a reader sees in a step. */
export type Happening =
  | { readonly type: "command"; readonly lane: Lane; readonly command: Command }
  /** The server got a statement; with its answer, if that came at once. */
  | {
      readonly type: "statement";
      readonly lane: Lane;
      readonly statement: Statement;
      readonly result?: Result;
    }
  | { readonly type: "wait"; readonly lane: Lane; readonly for: readonly Lane[] }
  /** The statement stands at a gate inside the server. */
  | { readonly type: "gate"; readonly lane: Lane; readonly place: Place }
  /** The answer to a statement that had to wait, or that was got in an earlier step. */
  | {
      readonly type: "result";
      readonly lane: Lane;
      readonly statement: Statement;
      readonly waited: boolean;
      readonly result: Result;
    }
  /** With the statement that it kept from the server, if it was held. */
  | {
      readonly type: "fault";
      readonly lane: Lane;
      readonly fault: Fault;
      readonly statement?: Statement;
      /** Under which name what was under way goes on. */
      readonly becomes?: Lane;
    }
  /** The service hears an answer that was held. */
  | { readonly type: "deliver"; readonly lane: Lane }
  | { readonly type: "response"; readonly lane: Lane; readonly response: Response }
  /** From here on committed state breaks the rule. */
  | { readonly type: "broken"; readonly lane: Lane; readonly rule: string };

/** One step: who moved, and all that happened until the next move. */
export interface Step {
  /** From 1. */
  readonly number: number;
  readonly lane: Lane;
  /** The client that was left although it could have gone on; undefined if this is no preemption. */
  readonly preempts: number | undefined;
  readonly happenings: readonly Happening[];
  /** Clients that had a transaction open when the step began or when it ended. */
  readonly inTransaction: ReadonlySet<number>;
}

/** As much of a counterexample as can be told of it, or of an execution that broke nothing. */
export type Told = Pick<Counterexample, "trace"> &
  Partial<Pick<Counterexample, "violations" | "brokenAt">>;

/** On a page: more is not looked at there. */
export const MOST_STEPS = 200;

/** A trace as a reader wants it: by steps, and a statement together with its answer. */
export function timeline({ trace, violations: [violation] = [], brokenAt }: Told): Step[] {
  const telling = new Telling();
  for (const event of trace) telling.tell(event);
  return telling.steps().map(({ happenings, ...step }) =>
    violation === undefined || step.number !== brokenAt
      ? { ...step, happenings }
      : {
          ...step,
          happenings: [
            ...happenings,
            { type: "broken", lane: whoCommitted(step.lane, happenings), rule: violation.name },
          ],
        },
  );
}

/** A step can end the wait of somebody else, whose statement then is what commits. */
function whoCommitted(moved: Lane, happenings: readonly Happening[]): Lane {
  const last = happenings.findLast((it) => {
    const result = it.type === "statement" || it.type === "result" ? it.result : undefined;
    return result?.transaction === "idle" && result.error === undefined;
  });
  return last?.lane ?? moved;
}

/** By number: the scenario's `clients`, and requests that went on without theirs. */
export function clientsIn(steps: readonly Step[], clients: number): number[] {
  const last = Math.max(clients - 1, ...steps.map(({ lane }) => clientOf(lane)));
  return [...Array(last + 1).keys()];
}

type Draft = Step & { readonly happenings: Happening[]; readonly inTransaction: Set<number> };

class Telling {
  readonly #drafts: Draft[] = [];
  /** Statements at the server, and where they stand in their step. */
  readonly #running = new Map<Lane, { draft: Draft; at: number; statement: Statement }>();
  readonly #waiting = new Set<Lane>();
  readonly #open = new Set<Lane>();
  /** Lanes with a statement since the server crashed, if it has: others have no answer to hear. */
  #sinceCrash: Set<Lane> | undefined;

  steps(): Step[] {
    return this.#drafts;
  }

  tell(event: TraceEvent): void {
    switch (event.type) {
      case "move":
        this.#move(event.choice.lane, event.choice.action, event.preemption);
        break;
      case "statement":
        this.#statement(event);
        break;
      case "gate":
        this.#waiting.delete(event.lane);
        this.#add({ type: "gate", lane: event.lane, place: event.place });
        break;
      case "wait":
        this.#waiting.add(event.lane);
        this.#add({ type: "wait", lane: event.lane, for: event.for });
        break;
      case "result":
        this.#result(event.lane, event.result);
        break;
      case "fault":
        this.#fault(event);
        break;
      case "invoke":
        this.#add({ type: "command", lane: clientLane(event.client), command: event.command });
        break;
      case "return":
        this.#add({ type: "response", lane: clientLane(event.client), response: event.response });
        break;
    }
  }

  #move(lane: Lane, action: Action, preemption: boolean): Draft {
    const previous = this.#drafts.at(-1);
    const draft: Draft = {
      number: this.#drafts.length + 1,
      lane,
      preempts: preemption && previous !== undefined ? clientOf(previous.lane) : undefined,
      happenings: [],
      inTransaction: new Set([...this.#open].map(clientOf)),
    };
    this.#drafts.push(draft);
    const lost = this.#sinceCrash?.has(lane) === false;
    if (action === "deliver" && !lost) this.#add({ type: "deliver", lane });
    return draft;
  }

  #statement({ lane, statement }: { lane: Lane; statement: Statement }): void {
    const draft = this.#current();
    this.#sinceCrash?.add(lane);
    this.#running.set(lane, { draft, at: draft.happenings.length, statement });
    this.#add({ type: "statement", lane, statement });
  }

  #result(lane: Lane, result: Result): void {
    const running = this.#running.get(lane);
    this.#running.delete(lane);
    const step = this.#current();
    if (result.transaction === "idle") this.#open.delete(lane);
    else this.#open.add(lane);
    if (result.transaction !== "idle") step.inTransaction.add(clientOf(lane));
    if (running === undefined) return;
    const { statement } = running;
    const waited = this.#waiting.delete(lane);
    const { happenings } = step;
    if (running.draft === step && happenings.length === running.at + 1) {
      step.happenings[running.at] = { type: "statement", lane, statement, result };
    } else {
      this.#add({ type: "result", lane, statement, waited, result });
    }
  }

  #fault(event: Extract<TraceEvent, { readonly type: "fault" }>): void {
    const { happenings } = this.#current();
    // An answer that is lost is not heard, although it was its turn.
    if (happenings.at(-1)?.type === "deliver") happenings.pop();
    if (event.becomes !== undefined) this.#rename(clientOf(event.lane), clientOf(event.becomes));
    else {
      if (event.fault === "crash") this.#sinceCrash = new Set();
      if (endsProcess(event.fault)) this.#open.clear();
      if (event.fault !== "cancel") this.#open.delete(event.lane);
      this.#waiting.delete(event.lane);
    }
    this.#add(event);
  }

  #rename(client: number, other: number): void {
    const renamed = (lane: Lane) => laneOf(other, Number(lane.split(".")[1] ?? 0));
    const its = (lanes: Iterable<Lane>) => [...lanes].filter((lane) => clientOf(lane) === client);
    for (const lanes of [this.#waiting, this.#open]) {
      for (const lane of its(lanes)) if (lanes.delete(lane)) lanes.add(renamed(lane));
    }
    for (const lane of its(this.#running.keys())) {
      const running = this.#running.get(lane);
      if (running !== undefined) this.#running.set(renamed(lane), running);
      this.#running.delete(lane);
    }
  }

  #add(happening: Happening): void {
    this.#current().happenings.push(happening);
  }

  /** What happens before the first move, such as a pool's own check, is the background's. */
  #current(): Draft {
    return this.#drafts.at(-1) ?? this.#move(BACKGROUND, "release", false);
  }
}
