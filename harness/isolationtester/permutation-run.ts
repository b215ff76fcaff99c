import { setImmediate } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import { CONNECTION_LOST_TEXT, messageText, primaryLine, tableText } from "./output.ts";
import type { Marker, Permutation, PermutationStep, Spec } from "./spec.ts";
import type { SpecConnection, StatementMessage } from "./spec-connection.ts";

/**
 * How long to wait for a message, in ms, before the server is asked whether the session is blocked. The
 * pause doubles from `first` to `longest`. A step that was blocked before is asked about at once
 * (`again`), since it probably still is.
 */
const PAUSE_MS = { again: 0, first: 1, longest: 10 };

/** Runs one permutation, and prints the output of isolationtester. */
export class PermutationRun {
  readonly #context: PermutationContext;
  /** Steps reported as waiting, in the order of those reports. */
  #waiting: PermutationStep[] = [];
  /** By `notices` marker: the number of notices of its session at which it is satisfied. */
  readonly #noticeTargets = new Map<Marker, number>();
  #noticePrinted = false;

  constructor(context: PermutationContext) {
    this.#context = context;
  }

  async run(permutation: Permutation): Promise<void> {
    const { print } = this.#context;
    print(`\nstarting permutation: ${permutation.map(({ step }) => step.name).join(" ")}\n`);
    await runSetups(this.#context);
    for (const step of permutation) await this.#launch(step);
    await this.#completeWaiting("wait");
    if (this.#waiting.length > 0) {
      const names = this.#waiting.map(({ step }) => step.name).join(", ");
      throw new HarnessError(
        "USAGE",
        `The permutation cannot end, since the markers of these steps wait for each other: ${names}. Correct the markers.`,
      );
    }
    await runTeardowns(this.#context);
  }

  #sessionOf({ step }: Pick<PermutationStep, "step">): SpecConnection {
    const session = this.#context.sessions[step.session];
    if (session === undefined) throw new RangeError(`no session ${step.session}`);
    return session;
  }

  async #launch(next: PermutationStep): Promise<void> {
    const session = this.#sessionOf(next);
    await this.#waitUntilFree(session);
    session.send(next.step.sql);
    session.active = next;
    for (const marker of next.markers) {
      if (marker.type !== "notices") continue;
      this.#noticeTargets.set(marker, marker.count + this.#sessionOf(marker).notices);
    }
    const completed = await this.#tryToComplete(next, { mayWait: true, again: false });
    await this.#completeWaiting("ask");
    if (!completed) this.#waiting.push(next);
  }

  /** Waits until a session has completed its last step. Reports other steps that complete meanwhile. */
  async #waitUntilFree(session: SpecConnection): Promise<void> {
    const start = Date.now();
    while (session.active !== undefined) {
      const old = session.active;
      if (await this.#tryToComplete(old, { mayWait: false, again: true })) {
        this.#waiting = this.#waiting.filter((step) => step !== old);
      }
      await this.#completeWaiting("ask");
      if (session.active === undefined) return;
      if (Date.now() - start > 2 * this.#context.stepTimeoutMs) throw this.#timeout(old, start);
      // Its markers wait for other steps, which may need time.
      await session.nextMessage(PAUSE_MS.first);
    }
  }

  /**
   * Reports the waiting steps that have completed. Repeats as long as a step completes or a notice is
   * printed, since either may satisfy a marker of another step.
   * @param how `ask`: skips steps that are blocked; `wait`: waits for the end of every step.
   */
  async #completeWaiting(how: "ask" | "wait"): Promise<void> {
    for (;;) {
      this.#noticePrinted = false;
      const before = this.#waiting.length;
      const still: PermutationStep[] = [];
      for (const step of this.#waiting) {
        const completed = await this.#tryToComplete(step, { mayWait: how === "ask", again: true });
        if (!completed) still.push(step);
      }
      this.#waiting = still;
      const changed = still.length < before || this.#noticePrinted;
      if (!changed || still.every(({ markers }) => markers.length === 0)) return;
    }
  }

  /**
   * Waits for the end of a step that was sent, and reports it.
   * @param options.mayWait stop waiting once the step is blocked by a lock.
   * @param options.again the step was reported as waiting before.
   * @returns whether the step was reported as completed.
   */
  async #tryToComplete(
    sent: PermutationStep,
    { mayWait, again }: { readonly mayWait: boolean; readonly again: boolean },
  ): Promise<boolean> {
    const { print } = this.#context;
    const { name, sql } = sent.step;
    const reportWaiting = () => {
      if (!again) print(`step ${name}: ${sql} <waiting ...>\n`);
      return false;
    };
    if (!again && sent.markers.some(({ type }) => type === "once")) return reportWaiting();
    const pause = again && mayWait ? PAUSE_MS.again : PAUSE_MS.first;
    if ((await this.#outcome(sent, mayWait, pause)) === "blocked") return reportWaiting();
    if (sent.markers.some((marker) => this.#isUnsatisfied(marker))) return reportWaiting();
    print(again ? `step ${name}: <... completed>\n` : `step ${name}: ${sql}\n`);
    this.#report(this.#sessionOf(sent));
    return true;
  }

  /** Waits until the step has ended or, if `mayWait`, is blocked by a lock. */
  async #outcome(
    sent: PermutationStep,
    mayWait: boolean,
    firstPause: number,
  ): Promise<"ended" | "blocked"> {
    const { control, print, stepTimeoutMs, signal } = this.#context;
    const session = this.#sessionOf(sent);
    const start = Date.now();
    let pause = firstPause;
    let cancelled = false;
    for (;;) {
      this.#printNotices(session);
      if (session.ready) return "ended";
      if (pause > 0 && (await session.nextMessage(pause))) continue;
      if (signal?.aborted) throw new HarnessError("INTERRUPTED", "interrupted");
      pause = Math.min(2 * pause || PAUSE_MS.first, PAUSE_MS.longest);
      if (mayWait && (await this.#isBlocked(session))) {
        // A notice that the session sent before it began to wait has arrived by now.
        await setImmediate();
        this.#printNotices(session);
        if (!session.ready) return "blocked";
      }
      const waited = Date.now() - start;
      if (waited > stepTimeoutMs && !cancelled) {
        cancelled = true;
        const seconds = Math.floor(waited / 1_000);
        print(`isolationtester: canceling step ${sent.step.name} after ${seconds} seconds\n`);
        await control.ask({ text: "select pg_cancel_backend($1)", values: [session.pid] });
      }
      if (waited > 2 * stepTimeoutMs) throw this.#timeout(sent, start);
    }
  }

  /** Asks by the function that isolationtester uses, so that `blocked` means the same. */
  async #isBlocked({ pid }: SpecConnection): Promise<boolean> {
    const { control, sessions } = this.#context;
    const row = await control.ask<{ blocked: boolean }>({
      name: "blocked",
      text: "select pg_catalog.pg_isolation_test_session_is_blocked($1, $2::int[]) as blocked",
      values: [pid, sessions.map((session) => session.pid)],
    });
    return row?.blocked === true;
  }

  #isUnsatisfied(marker: Marker): boolean {
    if (marker.type === "once") return false;
    const session = this.#sessionOf(marker);
    if (marker.type === "step") return session.active?.step === marker.step;
    return session.notices < (this.#noticeTargets.get(marker) ?? 0);
  }

  #printNotices(session: SpecConnection): void {
    for (let notice = session.takeNotice(); notice !== undefined; notice = session.takeNotice()) {
      this.#context.print(`${session.name}: ${messageText(notice, "notice")}`);
      this.#noticePrinted = true;
    }
  }

  #report(session: SpecConnection): void {
    const { sessions, print } = this.#context;
    for (;;) {
      this.#printNotices(session);
      const message = session.take();
      if (message === undefined) break;
      if (message.type === "rows") print(tableText(message.table));
      else if (message.type === "error") print(primaryLine(message.error));
      else if (message.type === "lost") print(CONNECTION_LOST_TEXT);
    }
    for (const { processId, channel, payload = "" } of session.takeNotifications()) {
      const sender = sessions.find(({ pid }) => pid === processId)?.name ?? `PID ${processId}`;
      print(`${session.name}: NOTIFY "${channel}" with payload "${payload}" from ${sender}\n`);
    }
    session.active = undefined;
  }

  #timeout({ step }: PermutationStep, start: number): HarnessError {
    const { sessions } = this.#context;
    const active = sessions.flatMap((session) => session.active?.step.name ?? []).join(", ");
    return new HarnessError(
      "STEP_TIMEOUT",
      `Step ${step.name} did not end within ${Math.floor((Date.now() - start) / 1_000)} s; active steps: ${active}. Correct the permutation, or raise --step-timeout.`,
    );
  }
}

/** The connections and options of a permutation. */
export interface PermutationContext {
  readonly spec: Spec;
  readonly control: SpecConnection;
  /** One connection for each of the spec's sessions, in the same order. */
  readonly sessions: readonly SpecConnection[];
  /** Called with each piece of the output. */
  readonly print: (text: string) => void;
  /** A step is cancelled after this time; after twice this time the run fails with `STEP_TIMEOUT`. */
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Executes the setups of the spec and of its sessions. Throws HarnessError SERVICE_FAILED if one fails. */
async function runSetups(context: PermutationContext): Promise<void> {
  const required = async (on: SpecConnection, sql: string, what: string) => {
    const failure = await executeBlock(context, on, sql, what);
    if (failure !== undefined) {
      throw new HarnessError("SERVICE_FAILED", `The ${what} failed: ${failure}`);
    }
  };
  const { spec, control, sessions } = context;
  for (const sql of spec.setups) await required(control, sql, "setup");
  for (const [number, { name, setup }] of spec.sessions.entries()) {
    const session = sessions[number];
    if (session !== undefined && setup !== undefined) {
      await required(session, setup, `setup of session ${name}`);
    }
  }
}

/** Executes the teardowns of the sessions and of the spec. Prints the error of one that fails. */
async function runTeardowns(context: PermutationContext): Promise<void> {
  const { spec, control, sessions } = context;
  for (const [number, { name, teardown }] of spec.sessions.entries()) {
    const session = sessions[number];
    if (session !== undefined && teardown !== undefined) {
      await executeBlock(context, session, teardown, `teardown of session ${name}`);
    }
  }
  if (spec.teardown !== undefined) await executeBlock(context, control, spec.teardown, "teardown");
}

/** Executes a block, and prints the result of its last statement. Resolves with the error, if there is one. */
async function executeBlock(
  { control, print }: PermutationContext,
  on: SpecConnection,
  sql: string,
  what: string,
): Promise<string | undefined> {
  let last: StatementMessage | undefined;
  await on.execute(sql, (message) => {
    if (message.type !== "notice") last = message;
    else if (on !== control) print(`${on.name}: ${messageText(message.notice, "notice")}`);
  });
  if (last?.type === "rows") print(tableText(last.table));
  if (last?.type !== "error" && last?.type !== "lost") return undefined;
  const text =
    last.type === "lost" ? CONNECTION_LOST_TEXT.trimEnd() : messageText(last.error, "error");
  print(`${what} failed: ${text}`);
  return last.type === "lost" ? "the connection was lost" : last.error.message;
}
