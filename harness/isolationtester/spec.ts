/**
 * A test in the language of PostgreSQL's isolationtester
 * (https://github.com/postgres/postgres/blob/REL_15_STABLE/src/test/isolation/README).
 */
export interface Spec {
  /** Run on the control connection, each as one simple query, before each permutation. */
  readonly setups: readonly string[];
  /** Run there after each permutation. */
  readonly teardown: string | undefined;
  readonly sessions: readonly SpecSession[];
  /** Empty: all interleavings of the sessions' steps. */
  readonly permutations: readonly Permutation[];
}

/** What one connection does. */
export interface SpecSession {
  readonly name: string;
  readonly setup: string | undefined;
  readonly teardown: string | undefined;
  readonly steps: readonly SpecStep[];
}

export interface SpecStep {
  /** Unique among the steps of all sessions. */
  readonly name: string;
  /** Sent as one simple query, as it stands. */
  readonly sql: string;
  /** The position of its session. */
  readonly session: number;
}

/** Steps in the order in which they are sent. */
export type Permutation = readonly PermutationStep[];

export interface PermutationStep {
  readonly step: SpecStep;
  /** Until they are satisfied, the step is not reported as completed. */
  readonly markers: readonly Marker[];
}

/**
 * `once`: the step is reported as waiting, whether it waits or not. `step`: it waits until that
 * step is not active. `notices`: it waits until the session of that step has received so many
 * notices since this one was sent.
 */
export type Marker =
  | { readonly type: "once" }
  | { readonly type: "step"; readonly step: SpecStep }
  | { readonly type: "notices"; readonly step: SpecStep; readonly count: number };
