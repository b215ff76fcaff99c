import { setImmediate } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import type { SpecConnection } from "./connection.ts";
import { LOST, messageText, primaryLine } from "./message-text.ts";
import { type PermutationContext, setUp, tearDown } from "./setup-and-teardown.ts";
import type { Marker, Permutation, PermutationStep } from "./spec.ts";
import { tableText } from "./table.ts";

/**
 * When a session that says nothing is asked about, in ms; patience grows with each question. One that
 * waited before is asked about at once: most likely it still does.
 */
const PATIENCE_MS = { again: 0, first: 1, most: 10 };

/** Runs one permutation, and prints what isolationtester would print. */
export class PermutationRun {
  readonly #bench: PermutationContext;
  /** Steps that were reported as waiting, in that order. */
  #waiting: PermutationStep[] = [];
  /** For markers that count notices: how many their session must have had. */
  readonly #wanted = new Map<Marker, number>();
  #noticed = false;

  constructor(bench: PermutationContext) {
    this.#bench = bench;
  }

  async run(permutation: Permutation): Promise<void> {
    const { print } = this.#bench;
    print(`\nstarting permutation: ${permutation.map(({ step }) => step.name).join(" ")}\n`);
    await setUp(this.#bench);
    for (const step of permutation) await this.#launch(step);
    await this.#completeWaiting("wait");
    if (this.#waiting.length > 0) {
      const names = this.#waiting.map(({ step }) => step.name).join(", ");
      throw new HarnessError(
        "USAGE",
        `The permutation cannot end: by their markers, these steps wait for each other: ${names}.`,
      );
    }
    await tearDown(this.#bench);
  }

  #sessionOf({ step }: Pick<PermutationStep, "step">): SpecConnection {
    const session = this.#bench.sessions[step.session];
    if (session === undefined) throw new RangeError(`there is no session ${step.session}`);
    return session;
  }

  async #launch(next: PermutationStep): Promise<void> {
    const session = this.#sessionOf(next);
    await this.#freed(session);
    session.send(next.step.sql);
    session.active = next;
    for (const marker of next.markers) {
      if (marker.type !== "notices") continue;
      this.#wanted.set(marker, marker.count + this.#sessionOf(marker).notices);
    }
    const completed = await this.#tryToComplete(next, { mayWait: true, again: false });
    await this.#completeWaiting("ask");
    if (!completed) this.#waiting.push(next);
  }

  /** Waits until a session has completed its last step, and meanwhile looks after the others. */
  async #freed(session: SpecConnection): Promise<void> {
    const start = Date.now();
    while (session.active !== undefined) {
      const old = session.active;
      if (await this.#tryToComplete(old, { mayWait: false, again: true })) {
        this.#waiting = this.#waiting.filter((one) => one !== old);
      }
      await this.#completeWaiting("ask");
      if (session.active === undefined) return;
      if (Date.now() - start > 2 * this.#bench.stepTimeoutMs) throw this.#givenUp(old, start);
      // By its markers it waits for others, which may need time.
      await session.news(PATIENCE_MS.first);
    }
  }

  /**
   * Reports those of the waiting steps as completed that are. `wait`: no lock is waited for any
   * longer. One that completes, or tells something, may be what another one's markers wait for.
   */
  async #completeWaiting(how: "ask" | "wait"): Promise<void> {
    for (;;) {
      this.#noticed = false;
      const before = this.#waiting.length;
      const still: PermutationStep[] = [];
      for (const step of this.#waiting) {
        const completed = await this.#tryToComplete(step, { mayWait: how === "ask", again: true });
        if (!completed) still.push(step);
      }
      this.#waiting = still;
      const changed = still.length < before || this.#noticed;
      if (!changed || still.every(({ markers }) => markers.length === 0)) return;
    }
  }

  /**
   * Waits for the end of a step that was sent, and reports it.
   * @param mayWait it is left alone once it waits for a lock.
   * @param again it was reported as waiting before.
   * @returns whether it was reported as completed.
   */
  async #tryToComplete(
    one: PermutationStep,
    { mayWait, again }: { readonly mayWait: boolean; readonly again: boolean },
  ): Promise<boolean> {
    const { print } = this.#bench;
    const { name, sql } = one.step;
    const waits = () => {
      if (!again) print(`step ${name}: ${sql} <waiting ...>\n`);
      return false;
    };
    if (!again && one.markers.some(({ type }) => type === "once")) return waits();
    const patience = again && mayWait ? PATIENCE_MS.again : PATIENCE_MS.first;
    if ((await this.#rest(one, mayWait, patience)) === "blocked") return waits();
    if (one.markers.some((marker) => this.#holds(marker))) return waits();
    print(again ? `step ${name}: <... completed>\n` : `step ${name}: ${sql}\n`);
    this.#report(this.#sessionOf(one));
    return true;
  }

  /** Waits until the step has ended, or, if it may, waits for a lock. */
  async #rest(
    one: PermutationStep,
    mayWait: boolean,
    atFirst: number,
  ): Promise<"ended" | "blocked"> {
    const { control, print, stepTimeoutMs, signal } = this.#bench;
    const session = this.#sessionOf(one);
    const start = Date.now();
    let patience = atFirst;
    let cancelled = false;
    for (;;) {
      this.#printNotices(session);
      if (session.ready) return "ended";
      if (patience > 0 && (await session.news(patience))) continue;
      if (signal?.aborted) throw new HarnessError("INTERRUPTED", "interrupted");
      patience = Math.min(2 * patience || PATIENCE_MS.first, PATIENCE_MS.most);
      if (mayWait && (await this.#blocked(session))) {
        // What it said before it began to wait is here by now.
        await setImmediate();
        this.#printNotices(session);
        if (!session.ready) return "blocked";
      }
      const waited = Date.now() - start;
      if (waited > stepTimeoutMs && !cancelled) {
        cancelled = true;
        const seconds = Math.floor(waited / 1_000);
        print(`isolationtester: canceling step ${one.step.name} after ${seconds} seconds\n`);
        await control.ask({ text: "select pg_cancel_backend($1)", values: [session.pid] });
      }
      if (waited > 2 * stepTimeoutMs) throw this.#givenUp(one, start);
    }
  }

  /** The function is what PostgreSQL has for this very purpose, so that it means the same. */
  async #blocked({ pid }: SpecConnection): Promise<boolean> {
    const { control, sessions } = this.#bench;
    const row = await control.ask<{ blocked: boolean }>({
      name: "blocked",
      text: "select pg_catalog.pg_isolation_test_session_is_blocked($1, $2::int[]) as blocked",
      values: [pid, sessions.map((session) => session.pid)],
    });
    return row?.blocked === true;
  }

  #holds(marker: Marker): boolean {
    if (marker.type === "once") return false;
    const session = this.#sessionOf(marker);
    if (marker.type === "step") return session.active?.step === marker.step;
    return session.notices < (this.#wanted.get(marker) ?? 0);
  }

  #printNotices(session: SpecConnection): void {
    for (let one = session.takeNotice(); one !== undefined; one = session.takeNotice()) {
      this.#bench.print(`${session.name}: ${messageText(one, "notice")}`);
      this.#noticed = true;
    }
  }

  #report(session: SpecConnection): void {
    const { sessions, print } = this.#bench;
    for (;;) {
      this.#printNotices(session);
      const message = session.take();
      if (message === undefined) break;
      if (message.type === "rows") print(tableText(message.table));
      else if (message.type === "error") print(primaryLine(message.error));
      else if (message.type === "lost") print(LOST);
    }
    for (const { processId, channel, payload = "" } of session.takeNotifications()) {
      const sender = sessions.find(({ pid }) => pid === processId)?.name ?? `PID ${processId}`;
      print(`${session.name}: NOTIFY "${channel}" with payload "${payload}" from ${sender}\n`);
    }
    session.active = undefined;
  }

  #givenUp({ step }: PermutationStep, start: number): HarnessError {
    const { sessions } = this.#bench;
    const active = sessions.flatMap((session) => session.active?.step.name ?? []).join(", ");
    return new HarnessError(
      "STEP_TIMEOUT",
      `Step ${step.name} did not end in ${Math.floor((Date.now() - start) / 1_000)} s; active steps: ${active}. Correct the permutation, or raise --step-timeout.`,
    );
  }
}
