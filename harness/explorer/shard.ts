/** Every so many-th scenario of a campaign, from a first one on. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

export const WHOLE: Shard = { index: 0, of: 1 };
