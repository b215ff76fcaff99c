import type { Result } from "../core/trace.ts";

/** The longest timeout, in ms, whose end is awaited: others cannot be moved reliably within it. */
const SHORT_MS = 100;

const UNITS: { readonly [unit: string]: number } = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SETTING =
  /\b(lock_timeout|statement_timeout)\b["'\s\0]*(?:=|,|\bto\b)?["'\s\0]*(\d+)\s*(us|ms|s|min|h|d)?\b/gi;

/**
 * The timeouts that a session has set itself (`lock_timeout`, `statement_timeout`), as far as its requests
 * show them. A setting that a function or a role makes is not seen, and one that was undone is still
 * assumed: it is a guess, for `Quiescence` to act on.
 */
export class OwnTimeout {
  readonly #ms = new Map<string, { readonly ms: number; readonly local: boolean }>();

  /** Notes a startup packet or a statement, with its parameters. */
  note(text: string): void {
    const local = /\blocal\b|\btrue\b/i.test(text);
    for (const [, name = "", value, unit = "ms"] of text.matchAll(SETTING)) {
      this.#ms.set(name.toLowerCase(), {
        ms: Number(value) * (UNITS[unit.toLowerCase()] ?? 1),
        local,
      });
    }
  }

  /** Notes the state of the transaction: one that has ended takes its local settings along. */
  noteTransaction(state: Result["transaction"]): void {
    if (state !== "idle") return;
    for (const [name, { local }] of this.#ms) if (local) this.#ms.delete(name);
  }

  /** Whether a wait of the session ends by itself before others can be moved. */
  get isShort(): boolean {
    return [...this.#ms.values()].some(({ ms }) => ms > 0 && ms <= SHORT_MS);
  }

  /** Notes that a wait went on for longer. */
  disproved(): void {
    this.#ms.clear();
  }
}
