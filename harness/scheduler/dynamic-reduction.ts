import type { Touched } from "../core/footprint.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import { dependent, effectsOf, type StepEffects } from "./dependence.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

/** A state on the path of the present execution. */
interface Node {
  readonly enabled: readonly Choice[];
  /** The tasks that could move and have yielded: they are not among the choices. */
  readonly yielded: readonly Task[];
  /** The sleep set: steps explored before from an earlier state, equivalent when taken here. */
  readonly sleepSet: readonly StepEffects[];
  /** The backtrack set: tasks that have to move first here, in some execution. */
  readonly backtrackSet: Set<Task>;
  /** The done set: steps taken here whose continuations are all explored. */
  readonly doneSet: StepEffects[];
  /** The task that moves here in the present execution. */
  task: Task;
  /** The effects of its step; undefined until the step is executed. */
  step: StepEffects | undefined;
  /** The numbers of the earlier steps of this execution that happen before its step. */
  happensBefore: ReadonlySet<number>;
}

/**
 * Explores every interleaving of a scenario up to equivalence: executions are equivalent if they
 * differ only in the order of independent steps. An execution continues without branching. After it,
 * for each two dependent steps that no other step orders (a race), a task with which the later of them
 * can come first is added to the backtrack set of the state before the earlier one. A step that was
 * explored in a state is in the sleep set of the states that follow its later alternatives, until a
 * dependent step is executed.
 *
 * Dependence is decided by what steps did, not by what they might have done. Where a task in the
 * backtrack set would not be enabled, all enabled tasks are added instead.
 *
 * Source-DPOR: Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction" (POPL
 * 2014), algorithm 1. Races and backtrack sets: Flanagan and Godefroid, "Dynamic Partial-Order
 * Reduction for Model Checking Software" (POPL 2005), figure 3. Sleep sets: Godefroid,
 * "Partial-Order Methods for the Verification of Concurrent Systems" (LNCS 1032, 1996), chapter 5.
 *
 * Fairness restricts the choices (see `Scheduler.fair`). It enables a task that has yielded after any step of
 * another one, so the step after which it could move again is no more its cause than others are: for races the
 * task counts as enabled before it.
 *
 * There is no bound on preemptions. A bound together with reduction would miss outcomes: a schedule
 * within the bound may be left out in favour of an equivalent one that exceeds the bound.
 */
export class DynamicReduction implements Scheduler {
  /** The path of the present execution, up to the state in which every enabled task is asleep. */
  readonly #nodes: Node[] = [];
  #depth = 0;
  #footprint: ReturnType<FootprintOf>;
  /** Whether every enabled task is asleep: the rest of this execution is equivalent to an earlier one. */
  #redundant = false;
  /** Whether the exploration has to begin anew, because it relied on footprints that were too small. */
  #outdated = false;
  /** The number of executions. */
  executions = 0;
  /** How many of them were equivalent to an earlier one; each still ran to its end. */
  redundant = 0;
  /** How many choices were left out, each with all interleavings that follow it. */
  pruned = 0;
  /** How an execution departed from its prefix, if one did: then interleavings may be missing. */
  diverged: string | undefined;
  #complete = false;
  /** Whether a task that polls was left out of the choices: only fair schedules were explored then. */
  hasYields = false;

  /** Whether every interleaving was explored, up to equivalence. */
  get complete(): boolean {
    return this.diverged === undefined && this.#complete;
  }

  begin(): boolean {
    if (this.#outdated) {
      this.#nodes.length = 0;
      this.diverged = undefined;
    } else if (this.executions > 0 && !this.#backtrack()) {
      this.#complete = true;
      return false;
    }
    this.#outdated = false;
    this.executions++;
    this.#depth = 0;
    this.#redundant = false;
    return true;
  }

  /** Backtracks to the last state with an unexplored task in its backtrack set; false: there is none. */
  #backtrack(): boolean {
    this.#unobserved();
    if (this.#depth < this.#nodes.length) {
      this.diverged ??= `an execution ended after ${this.#depth} steps, before the end of its prefix`;
    }
    for (let node = this.#nodes.at(-1); node !== undefined; node = this.#nodes.at(-1)) {
      node.doneSet.push(node.step ?? unknown(node.task));
      const explored = [...node.sleepSet, ...node.doneSet].map(({ task }) => task);
      const task = [...node.backtrackSet].find((other) => !explored.includes(other));
      if (task !== undefined) {
        node.task = task;
        node.step = undefined;
        node.happensBefore = new Set();
        return true;
      }
      this.pruned += node.enabled.length - node.doneSet.length;
      this.#nodes.pop();
    }
    return false;
  }

  choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    footprintOf: FootprintOf = () => undefined,
    yielded: readonly Task[] = [],
  ): Choice {
    const [first] = enabled;
    if (first === undefined) throw new Error("a scheduler was asked to choose from nothing");
    const byPreference = enabled.find(({ task }) => task === previous) ?? first;
    this.#unobserved();
    if (yielded.length > 0) this.hasYields = true;
    if (this.#redundant) return byPreference;
    const node = this.#nodes[this.#depth] ?? this.#arrive(enabled, yielded, byPreference);
    const choice = node && enabled.find(({ task }) => task === node.task);
    if (node === undefined || choice === undefined) {
      if (node !== undefined) {
        this.diverged ??= `at step ${this.#depth} task ${node.task} was enabled in an earlier execution, and then was not`;
        this.#depth = this.#nodes.length;
      }
      this.#redundant = true;
      return byPreference;
    }
    this.#depth++;
    this.#footprint = node.step === undefined ? footprintOf(choice) : undefined;
    return choice;
  }

  /** A new state; undefined when every enabled task is asleep. */
  #arrive(
    enabled: readonly Choice[],
    yielded: readonly Task[],
    preferred: Choice,
  ): Node | undefined {
    const sleepSet = this.#sleepSet().filter(({ task }) =>
      enabled.some((other) => other.task === task),
    );
    const awake = enabled.filter(({ task }) => !sleepSet.some((other) => other.task === task));
    const [first] = awake;
    if (first === undefined) {
      this.redundant++;
      return undefined;
    }
    const { task } = awake.includes(preferred) ? preferred : first;
    const node: Node = {
      ...{ enabled, yielded, sleepSet, task },
      backtrackSet: new Set([task]),
      doneSet: [],
      step: undefined,
      happensBefore: new Set(),
    };
    this.#nodes.push(node);
    return node;
  }

  /** The sleep set of the state after the last node. */
  #sleepSet(): readonly StepEffects[] {
    const last = this.#nodes.at(-1);
    const step = last?.step;
    if (last === undefined || step === undefined) return [];
    return [...last.sleepSet, ...last.doneSet].filter((other) => !dependent(other, step));
  }

  observe(events: Trace, released: Touched | undefined): void {
    const number = this.#depth - 1;
    const node = this.#nodes[number];
    if (this.#redundant || node === undefined || node.step !== undefined) return;
    const choice = node.enabled.find(({ task }) => task === node.task);
    if (choice === undefined) return;
    node.step = effectsOf(choice, this.#footprint, events, released);
    this.#addRaces(number, node, node.step);
  }

  footprintsGrew(): void {
    this.#outdated = true;
  }

  /** A step after which `observe` was not called may have done anything. */
  #unobserved(): void {
    const number = this.#depth - 1;
    const node = this.#nodes[number];
    if (this.#redundant || node === undefined || node.step !== undefined) return;
    node.step = unknown(node.task);
    this.#addRaces(number, node, node.step);
  }

  /** Finds the steps that happen before a step, and adds backtrack points for those it races with. */
  #addRaces(number: number, node: Node, step: StepEffects): void {
    const happensBefore = new Set<number>();
    const add = (other: number) => {
      happensBefore.add(other);
      for (const earlier of this.#nodes[other]?.happensBefore ?? []) happensBefore.add(earlier);
    };
    // The step that enabled it happens before it, unless only fairness kept its task from moving.
    const wasEnabled = (at: number) =>
      this.#nodes[at]?.enabled.some(({ task }) => task === step.task) === true ||
      this.#nodes[at]?.yielded.includes(step.task) === true;
    for (let at = number - 1; at >= 0; at--) {
      if (wasEnabled(at)) continue;
      add(at);
      break;
    }
    const races: number[] = [];
    for (let at = number - 1; at >= 0; at--) {
      const other = this.#nodes[at]?.step ?? unknown(this.#nodes[at]?.task ?? "");
      if (happensBefore.has(at) || !dependent(other, step)) continue;
      races.push(at);
      add(at);
    }
    node.happensBefore = happensBefore;
    for (const at of races) this.#addBacktrackPoint(at, number);
  }

  /**
   * Adds a task to the backtrack set of the state `at`, with which an execution can begin that has
   * the step `later` before the one that was taken at `at`.
   */
  #addBacktrackPoint(at: number, later: number): void {
    const state = this.#nodes[at];
    if (state === undefined) return;
    const rest = this.#nodes
      .slice(0, later + 1)
      .map((_, number) => number)
      .filter((number) => number > at && (number === later || !this.#isAfter(number, at)));
    const first = rest.filter((number) => !rest.some((other) => this.#isAfter(number, other)));
    const tasks = first.flatMap((number) => this.#nodes[number]?.task ?? []);
    const ownTask = this.#nodes[later]?.task;
    if (ownTask !== undefined && state.yielded.includes(ownTask)) this.#beforeYielding(at, ownTask);
    if (tasks.some((task) => state.backtrackSet.has(task))) return;
    const enabled = state.enabled.map(({ task }) => task);
    const initials = enabled.filter((task) => tasks.includes(task));
    const initial = initials.find((task) => task === ownTask) ?? initials[0];
    for (const task of initial === undefined ? enabled : [initial]) state.backtrackSet.add(task);
  }

  /**
   * Adds a task to the backtrack set of the last state before `at` in which it was among the choices: fairness
   * alone keeps it from moving at `at`, because another task, which moved meanwhile, has not yielded.
   */
  #beforeYielding(at: number, task: Task): void {
    for (let before = at - 1; before >= 0; before--) {
      const node = this.#nodes[before];
      if (node === undefined || node.task === task) return;
      if (!node.enabled.some((choice) => choice.task === task)) continue;
      node.backtrackSet.add(task);
      return;
    }
  }

  #isAfter(number: number, other: number): boolean {
    return this.#nodes[number]?.happensBefore.has(other) === true;
  }
}

function unknown(task: Task): StepEffects {
  return { task, footprint: undefined, starts: true, returns: true };
}
