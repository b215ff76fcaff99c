import type { Touched } from "../core/footprint.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import { dependent, effectsOf, type StepEffects } from "./dependence.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

/** A place in the search: a state, and what was tried in it. */
interface Node {
  readonly enabled: readonly Choice[];
  /** What was done first elsewhere, and would come to the same here. */
  readonly asleep: readonly StepEffects[];
  /** Who has to go first here, in some execution. */
  readonly wanted: Set<Task>;
  /** What was done here, and all explored that follows. */
  readonly tried: StepEffects[];
  /** Who goes first in the present execution. */
  task: Task;
  /** What that came to; undefined until it is known. */
  step: StepEffects | undefined;
  /** The steps of this execution that had to come before it, by their number. */
  before: ReadonlySet<number>;
}

/**
 * Tries every interleaving of a scenario that may have an outcome of its own, and few others. An
 * execution goes on without branching; afterwards, wherever two of its steps depend on each other
 * and nothing in between forces their order, some execution is wanted in which the later one comes
 * first: whoever could begin that is wanted at the place before the earlier one. Whoever was tried
 * at a place sleeps in what follows the later ones, until a step comes that depends on theirs.
 *
 * Whether steps depend is checked by what they turned out to do, not by what they might have done.
 * Where someone is wanted who cannot move, all that can are.
 *
 * Source sets: Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction" (POPL
 * 2014), algorithm 1; races and the idea to look for them in executions: Flanagan and Godefroid,
 * "Dynamic Partial-Order Reduction for Model Checking Software" (POPL 2005); sleep sets: Godefroid,
 * LNCS 1032, chapter 5.
 *
 * There is no bound on preemptions here. A schedule within a bound may be left out because of one
 * that is equal to it but beyond the bound; so reduction and bound together would miss outcomes.
 */
export class DynamicReduction implements Scheduler {
  /** The places on the way of the present execution, until all that could move slept. */
  readonly #nodes: Node[] = [];
  #depth = 0;
  #footprint: ReturnType<FootprintOf>;
  /** Whether all that could move slept: then the rest of this execution was seen before. */
  #redundant = false;
  /** How many executions were begun. */
  executions = 0;
  /** How many of them turned out to be equal to another one; they went on to their end. */
  redundant = 0;
  /** How many choices were not tried; behind each stand all its interleavings. */
  pruned = 0;
  /** Set when a step could not be repeated: then not all was tried. */
  diverged: string | undefined;
  #complete = false;

  /** Whether every interleaving was tried that may have an outcome of its own. */
  get complete(): boolean {
    return this.diverged === undefined && this.#complete;
  }

  begin(): boolean {
    if (this.executions > 0 && !this.#next()) {
      this.#complete = true;
      return false;
    }
    this.executions++;
    this.#depth = 0;
    this.#redundant = false;
    return true;
  }

  /** Goes back to the last place at which somebody is wanted who was not tried; false without one. */
  #next(): boolean {
    this.#unobserved();
    if (this.#depth < this.#nodes.length) {
      this.diverged ??= `an execution ended after ${this.#depth} steps, and before it did not`;
    }
    for (let node = this.#nodes.at(-1); node !== undefined; node = this.#nodes.at(-1)) {
      node.tried.push(node.step ?? unknown(node.task));
      const known = [...node.asleep, ...node.tried].map(({ task }) => task);
      const task = [...node.wanted].find((other) => !known.includes(other));
      if (task !== undefined) {
        node.task = task;
        node.step = undefined;
        node.before = new Set();
        return true;
      }
      this.pruned += node.enabled.length - node.tried.length;
      this.#nodes.pop();
    }
    return false;
  }

  choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    footprintOf: FootprintOf = () => undefined,
  ): Choice {
    const [first] = enabled;
    if (first === undefined) throw new Error("a scheduler was asked to choose from nothing");
    const byPreference = enabled.find(({ task }) => task === previous) ?? first;
    this.#unobserved();
    if (this.#redundant) return byPreference;
    const node = this.#nodes[this.#depth] ?? this.#arrive(enabled, byPreference);
    const choice = node && enabled.find(({ task }) => task === node.task);
    if (node === undefined || choice === undefined) {
      if (node !== undefined) {
        this.diverged ??= `at step ${this.#depth} task ${node.task} could move before, and then could not`;
        this.#depth = this.#nodes.length;
      }
      this.#redundant = true;
      return byPreference;
    }
    this.#depth++;
    this.#footprint = node.step === undefined ? footprintOf(choice) : undefined;
    return choice;
  }

  /** A new place; undefined when all that could move sleeps. */
  #arrive(enabled: readonly Choice[], preferred: Choice): Node | undefined {
    const asleep = this.#asleep().filter(({ task }) =>
      enabled.some((other) => other.task === task),
    );
    const awake = enabled.filter(({ task }) => !asleep.some((other) => other.task === task));
    const [first] = awake;
    if (first === undefined) {
      this.redundant++;
      return undefined;
    }
    const { task } = awake.includes(preferred) ? preferred : first;
    const wanted = new Set([task]);
    const node = {
      enabled,
      asleep,
      wanted,
      tried: [],
      task,
      step: undefined,
      before: new Set<number>(),
    };
    this.#nodes.push(node);
    return node;
  }

  #asleep(): readonly StepEffects[] {
    const last = this.#nodes.at(-1);
    const step = last?.step;
    if (last === undefined || step === undefined) return [];
    return [...last.asleep, ...last.tried].filter((other) => !dependent(other, step));
  }

  observe(events: Trace, released: Touched | undefined): void {
    const number = this.#depth - 1;
    const node = this.#nodes[number];
    if (this.#redundant || node === undefined || node.step !== undefined) return;
    const choice = node.enabled.find(({ task }) => task === node.task);
    if (choice === undefined) return;
    node.step = effectsOf(choice, this.#footprint, events, released);
    this.#order(number, node, node.step);
  }

  /** Of a step that nobody told of, nothing is known. */
  #unobserved(): void {
    const number = this.#depth - 1;
    const node = this.#nodes[number];
    if (this.#redundant || node === undefined || node.step !== undefined) return;
    node.step = unknown(node.task);
    this.#order(number, node, node.step);
  }

  /** Finds what had to come before a step, and wants executions with the rest the other way round. */
  #order(number: number, node: Node, step: StepEffects): void {
    const before = new Set<number>();
    const add = (other: number) => {
      before.add(other);
      for (const earlier of this.#nodes[other]?.before ?? []) before.add(earlier);
    };
    // It could not have come before the step that made it possible.
    const possible = (at: number) =>
      this.#nodes[at]?.enabled.some(({ task }) => task === step.task) === true;
    for (let at = number - 1; at >= 0; at--) {
      if (possible(at)) continue;
      add(at);
      break;
    }
    const races: number[] = [];
    for (let at = number - 1; at >= 0; at--) {
      const other = this.#nodes[at]?.step ?? unknown(this.#nodes[at]?.task ?? "");
      if (before.has(at) || !dependent(other, step)) continue;
      races.push(at);
      add(at);
    }
    node.before = before;
    for (const at of races) this.#reverse(at, number);
  }

  /** Wants somebody at a place with whom an execution can begin in which `later` comes before it. */
  #reverse(at: number, later: number): void {
    const place = this.#nodes[at];
    if (place === undefined) return;
    const rest = this.#nodes
      .slice(0, later + 1)
      .map((_, number) => number)
      .filter((number) => number > at && (number === later || !this.#comesAfter(number, at)));
    const first = rest.filter((number) => !rest.some((other) => this.#comesAfter(number, other)));
    const tasks = first.flatMap((number) => this.#nodes[number]?.task ?? []);
    if (tasks.some((task) => place.wanted.has(task))) return;
    const able = place.enabled.map(({ task }) => task).filter((task) => tasks.includes(task));
    const own = this.#nodes[later]?.task;
    const one = able.find((task) => task === own) ?? able[0];
    if (one !== undefined) place.wanted.add(one);
    else for (const { task } of place.enabled) place.wanted.add(task);
  }

  #comesAfter(number: number, other: number): boolean {
    return this.#nodes[number]?.before.has(other) === true;
  }
}

function unknown(task: Task): StepEffects {
  return { task, footprint: undefined, starts: true, returns: true };
}
