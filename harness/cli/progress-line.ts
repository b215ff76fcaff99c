import type { CampaignOptions, Progress } from "../explorer/bounded-exploration.ts";
import { quantity } from "../reporters/format-values.ts";

/** The least time between two updates, in ms. */
const EVERY = { terminal: 100, log: 5_000 };

/** Prints a campaign's progress: on a terminal one line that it overwrites, elsewhere new lines. */
export class ProgressLine {
  readonly #output: NodeJS.WriteStream;
  readonly #limits: Pick<CampaignOptions, "runs" | "timeMs">;
  #shownAt = Number.NEGATIVE_INFINITY;
  #phase: Progress["phase"] | undefined;

  constructor(output: NodeJS.WriteStream, limits: Pick<CampaignOptions, "runs" | "timeMs">) {
    this.#output = output;
    this.#limits = limits;
  }

  show(progress: Progress): void {
    const now = performance.now();
    const every = this.#output.isTTY ? EVERY.terminal : EVERY.log;
    if (progress.phase === this.#phase && now - this.#shownAt < every) return;
    this.#shownAt = now;
    this.#phase = progress.phase;
    const line = progressText(progress, this.#limits);
    this.#output.write(this.#output.isTTY ? `\r\u001b[2K${line}` : `${line}\n`);
  }

  clear(): void {
    if (this.#output.isTTY) this.#output.write("\r\u001b[2K");
  }
}

/** `1,204 of 3,000 runs, 251 runs/s, 0 violations, 7 s left`. */
export function progressText(
  { phase, executions, violations, elapsedMs }: Progress,
  { runs, timeMs }: Pick<CampaignOptions, "runs" | "timeMs">,
): string {
  const number = (value: number) => Math.round(value).toLocaleString("en");
  const rate = elapsedMs > 0 ? executions / (elapsedMs / 1000) : 0;
  // Stored regressions and replays count as executions, and not towards the limit.
  const done = runs === undefined ? "" : `${number(Math.min(executions, runs))} of `;
  const parts = [
    `${done}${quantity(runs ?? executions, "run")}`,
    `${number(rate)} runs/s`,
    quantity(violations, "violation"),
  ];
  if (phase === "shrinking") return [...parts, "shrinking"].join(", ");
  const byRuns =
    runs === undefined || rate === 0 ? Number.POSITIVE_INFINITY : (runs - executions) / rate;
  const byTime = timeMs === undefined ? Number.POSITIVE_INFINITY : (timeMs - elapsedMs) / 1000;
  const left = Math.max(0, Math.min(byRuns, byTime));
  return [...parts, ...(Number.isFinite(left) ? [`${number(Math.ceil(left))} s left`] : [])].join(
    ", ",
  );
}
