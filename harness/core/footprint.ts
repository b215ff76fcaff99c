/** The shared objects (tables, sequences, advisory locks) that are touched, by name. */
export interface Touched {
  /** Objects that are read in their committed state; readers block no session. */
  readonly reads: ReadonlySet<string>;
  /** Objects that are locked in a shared mode. */
  readonly shares: ReadonlySet<string>;
  /** Objects that are changed or locked exclusively. */
  readonly writes: ReadonlySet<string>;
}

/**
 * The shared objects that a step may read, lock or change: an over-approximation. A step without a
 * footprint may touch anything.
 */
export interface Footprint {
  /** Touched by the step itself and by the tasks that it wakes. */
  readonly step: Touched;
  /** Touched earlier in their transactions; released if the step fails or ends the transaction. */
  readonly held: Touched;
  /** The step releases no lock unless it fails, waits or ends the transaction. */
  readonly keeps: boolean;
  /** The step may commit a transaction, whose writes become visible. */
  readonly ends: boolean;
  /** The step takes a snapshot that later steps read with. */
  readonly snapshot: boolean;
  /** The server tracks conflicts of reads and writes for the transaction (SERIALIZABLE). */
  readonly tracked: boolean;
  /** The step reads the clock: which of two times is later can be seen wherever both are stored or answered. */
  readonly clock: boolean;
}

export const NOTHING: Touched = { reads: new Set(), shares: new Set(), writes: new Set() };

export function joined(...parts: readonly Touched[]): Touched {
  return {
    reads: new Set(parts.flatMap(({ reads }) => [...reads])),
    shares: new Set(parts.flatMap(({ shares }) => [...shares])),
    writes: new Set(parts.flatMap(({ writes }) => [...writes])),
  };
}

export function isNothing({ reads, shares, writes }: Touched): boolean {
  return reads.size + shares.size + writes.size === 0;
}

/**
 * Whether two enabled steps of different clients commute: both orders lead to the same state, and
 * neither step makes the other one wait, fail or behave differently.
 *
 * - Locks: neither step locks an object that the other one locks or has locked before. The latter
 *   counts even if no transaction ends, since any statement may fail and release its locks.
 * - A commit is dependent with every read of what it wrote, and with every snapshot.
 * - Under SERIALIZABLE, which transaction fails depends on the order of reads and writes. All steps
 *   of two transactions that touch a common object are dependent; and a commit may decide the fate
 *   of transactions with which it has no object in common, so it is dependent with every step that
 *   touches anything.
 * - Two steps that read the clock are dependent: times have one order, whichever tables store them.
 */
export function independent(a: Footprint | undefined, b: Footprint | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a.clock && b.clock) return false;
  if (a.tracked && b.tracked && overlap(joined(a.step, a.held), joined(b.step, b.held)))
    return false;
  return !disturbs(a, b) && !disturbs(b, a);
}

function disturbs(a: Footprint, b: Footprint): boolean {
  if (lockOut(a.step, b.step) || lockOut(a.held, b.step)) return true;
  if (!a.ends) return false;
  const written = [...a.step.writes, ...a.held.writes];
  if (written.some((name) => b.step.reads.has(name))) return true;
  if (b.snapshot && written.length > 0) return true;
  return a.tracked && b.tracked && touches(a) && (b.snapshot || touches(b));
}

function touches({ step, held }: Footprint): boolean {
  return !isNothing(step) || !isNothing(held);
}

function lockOut(a: Touched, b: Touched): boolean {
  return meet(a.writes, b.writes) || meet(a.writes, b.shares) || meet(a.shares, b.writes);
}

function overlap(a: Touched, b: Touched): boolean {
  return lockOut(a, b) || meet(a.writes, b.reads) || meet(a.reads, b.writes);
}

function meet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const name of a) if (b.has(name)) return true;
  return false;
}
