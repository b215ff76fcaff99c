/** Which of the objects that sessions share (tables, sequences, advisory locks) are touched, by name. */
export interface Touched {
  /** What is read, as it was committed. Nobody has to wait for a reader. */
  readonly reads: ReadonlySet<string>;
  /** What is locked in a way in which others may lock it too. */
  readonly shares: ReadonlySet<string>;
  /** What is changed, or locked against everybody else who locks it. */
  readonly writes: ReadonlySet<string>;
}

/**
 * What a step may do to, or see of, what clients share: rather too much than too little. Where a
 * footprint is missing, anything is possible.
 */
export interface Footprint {
  /** The step itself, and whoever it wakes. */
  readonly step: Touched;
  /** What they have touched before, and let go of should the step fail or end the transaction. */
  readonly held: Touched;
  /** Should it neither fail, nor wait, nor end the transaction, then it lets go of nothing. */
  readonly keeps: boolean;
  /** A transaction may be committed: what it wrote is seen from now on. */
  readonly ends: boolean;
  /** The snapshot is taken with which later steps read. */
  readonly snapshot: boolean;
  /** The server looks for cycles of reads and writes among all transactions (SERIALIZABLE). */
  readonly tracked: boolean;
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
 * Whether two steps of different clients, both possible now, lead to the same whichever goes first,
 * and neither makes the other one wait, fail or go on otherwise.
 *
 * - Locks: what one locks, the other neither locks nor has locked before. That counts even where
 *   no transaction ends: any statement may fail, which lets go of all that is held.
 * - A commit is seen by whoever reads what it wrote, and by every snapshot.
 * - Under SERIALIZABLE who fails depends on the order in which reads met writes. Two transactions
 *   that meet anywhere are dependent in all they do; and a commit decides about transactions
 *   that it never met, so it is dependent with all that touches anything.
 */
export function independent(a: Footprint | undefined, b: Footprint | undefined): boolean {
  if (a === undefined || b === undefined) return false;
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
