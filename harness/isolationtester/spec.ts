/**
 * A test in the language of PostgreSQL's isolationtester
 * (https://github.com/postgres/postgres/blob/REL_15_STABLE/src/test/isolation/README).
 */
export interface Spec {
  /** Executed on the control connection before each permutation, each as one simple query. */
  readonly setups: readonly string[];
  /** Executed on the control connection after each permutation. */
  readonly teardown: string | undefined;
  readonly sessions: readonly SpecSession[];
  /** Empty: every interleaving of the sessions' steps. */
  readonly permutations: readonly Permutation[];
}

/** The steps of one connection. */
export interface SpecSession {
  readonly name: string;
  readonly setup: string | undefined;
  readonly teardown: string | undefined;
  readonly steps: readonly SpecStep[];
}

export interface SpecStep {
  /** Unique among the steps of all sessions. */
  readonly name: string;
  /** Sent unchanged, as one simple query. */
  readonly sql: string;
  /** Index of the step's session in `Spec.sessions`. */
  readonly session: number;
}

/** Steps in the order in which they are sent. */
export type Permutation = readonly PermutationStep[];

export interface PermutationStep {
  readonly step: SpecStep;
  /** The step is reported as completed only when all of its markers are satisfied. */
  readonly markers: readonly Marker[];
}

/**
 * - `once`: the step is reported as waiting first, whether it waits or not.
 * - `step`: satisfied when the other step is not active.
 * - `notices`: satisfied when the session of the other step has received `count` notices since the
 *   marked step was sent.
 */
export type Marker =
  | { readonly type: "once" }
  | { readonly type: "step"; readonly step: SpecStep }
  | { readonly type: "notices"; readonly step: SpecStep; readonly count: number };

/**
 * The permutations that a spec lists. If it lists none, every interleaving of its sessions' steps, in
 * the order of isolationtester: the first session's steps come as early as possible.
 */
export function* permutationsOf(spec: Spec): Generator<Permutation, void> {
  if (spec.permutations.length > 0) yield* spec.permutations;
  else {
    const remaining = spec.sessions.map(({ steps }) =>
      steps.map((step) => ({ step, markers: [] })),
    );
    yield* interleavings(remaining, []);
  }
}

function* interleavings(
  remaining: readonly Permutation[],
  prefix: Permutation,
): Generator<Permutation, void> {
  if (remaining.every((steps) => steps.length === 0)) yield prefix;
  for (const [session, [next, ...rest]] of remaining.entries()) {
    if (next !== undefined) yield* interleavings(remaining.with(session, rest), [...prefix, next]);
  }
}
