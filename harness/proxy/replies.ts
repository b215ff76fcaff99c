import { createHash } from "node:crypto";
import type { Result } from "../core/trace.ts";
import { type GatePlace, gatePlace } from "../instrumentation/gate-locks.ts";
import { FieldReader } from "./frames.ts";

/** The meaning of a server's message. `part` is a part of an answer. */
export type Reply =
  | { readonly type: "part" }
  | { readonly type: "ready"; readonly result: Result }
  | { readonly type: "key"; readonly pid: number }
  | { readonly type: "gate"; readonly gate: GatePlace }
  | { readonly type: "lock-wait"; readonly wait: "waiting" | "acquired" }
  | { readonly type: "copy-in" }
  | { readonly type: "notification" }
  | { readonly type: "drop" }
  | { readonly type: "fatal"; readonly sqlstate: string; readonly message: string }
  | { readonly type: "unsupported"; readonly what: string };

const PART: Reply = { type: "part" };
const DROP: Reply = { type: "drop" };

const TRANSACTION: { readonly [status: string]: Result["transaction"] } = {
  I: "idle",
  T: "open",
  E: "failed",
};

/** Reads the server's messages of one session, and collects the result of each request. */
export class ReplyReader {
  #tags: string[] = [];
  #error: Result["error"];

  take(frame: Buffer): Reply {
    const type = String.fromCharCode(frame[0] ?? 0);
    if (type === "C") {
      this.#tags.push(new FieldReader(frame).text());
      return PART;
    }
    if (type === "Z") return this.#ready(frame);
    if (type === "E") return this.#failed(frame);
    if (type === "N") return notice(frame);
    if (type === "K") return { type: "key", pid: new FieldReader(frame).int32() };
    if (type === "A") return { type: "notification" };
    if (type === "G") return { type: "copy-in" };
    if (type === "W") return { type: "unsupported", what: "replication" };
    return PART;
  }

  #failed(frame: Buffer): Reply {
    const fields = noticeFields(frame);
    const sqlstate = fields.get("C") ?? "XX000";
    const message = fields.get("M") ?? "";
    const severity = fields.get("V");
    if (severity === "FATAL" || severity === "PANIC") return { type: "fatal", sqlstate, message };
    const locks = sqlstate === "40P01" ? deadlockedLocks(fields) : undefined;
    this.#error = { sqlstate, message, ...(locks && { locks }) };
    return PART;
  }

  #ready(frame: Buffer): Reply {
    const transaction = TRANSACTION[String.fromCharCode(frame[5] ?? 0)] ?? "idle";
    const result: Result = {
      tags: this.#tags,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      transaction,
    };
    this.#tags = [];
    this.#error = undefined;
    return { type: "ready", result };
  }
}

/**
 * Messages of level LOG reach a session only because Heddle sets `client_min_messages`. With
 * `log_lock_waits` a backend reports that it waits, right after its deadlock check found nothing
 * (`ProcSleep` in src/backend/storage/lmgr/proc.c). The service never gets them.
 */
function notice(frame: Buffer): Reply {
  const fields = noticeFields(frame);
  const gate = gatePlace(fields);
  if (gate !== undefined) return { type: "gate", gate };
  if (fields.get("V") !== "LOG") return PART;
  const message = fields.get("M") ?? "";
  if (/^process \d+ still waiting for /.test(message))
    return { type: "lock-wait", wait: "waiting" };
  if (/^process \d+ acquired /.test(message)) return { type: "lock-wait", wait: "acquired" };
  return DROP;
}

/**
 * The locks of a deadlock, by its detail and its context, without the numbers of processes,
 * transactions and relations and the places of tuples, which differ in each execution (`DeadLockReport` in
 * src/backend/storage/lmgr/deadlock.c).
 */
function deadlockedLocks(fields: ReadonlyMap<string, string>): string | undefined {
  const waits = [...(fields.get("D") ?? "").matchAll(/waits for (\w+) on (.+?); blocked by/g)];
  const modes = waits.map(([, mode = "", what = ""]) => {
    const [object = what] = /^\w+(?: lock)?/.exec(what) ?? [];
    return `${mode} on a ${object}`;
  });
  const context = /^(?:while|when) .*/
    .exec(fields.get("W") ?? "")?.[0]
    .replace(/tuple \(\d+,\d+\)/, "a tuple");
  const parts = [context ?? "", [...new Set(modes)].join(" and ")].filter((part) => part !== "");
  return parts.length === 0 ? undefined : parts.join(": ");
}

function noticeFields(frame: Buffer): Map<string, string> {
  const reader = new FieldReader(frame);
  const fields = new Map<string, string>();
  while (!reader.done) {
    const code = reader.byte();
    if (code === 0) break;
    fields.set(String.fromCharCode(code), reader.text());
  }
  return fields;
}

const DATA_ROW = "D".charCodeAt(0);
/** Up to this size, rows are their own digest: a copy costs less than a hash. */
const WHOLE_ROWS_BYTES = 256;

/** The rows among these messages, or a hash of them if they are long. */
export function digestOfRows(frames: readonly Buffer[]): string {
  let bytes = 0;
  let whole = "";
  for (const frame of frames) {
    if (frame[0] !== DATA_ROW) continue;
    bytes += frame.length;
    if (bytes > WHOLE_ROWS_BYTES) return hashOfRows(frames);
    whole += frame.toString("latin1");
  }
  return whole;
}

function hashOfRows(frames: readonly Buffer[]): string {
  const hash = createHash("sha1");
  for (const frame of frames) if (frame[0] === DATA_ROW) hash.update(frame);
  return hash.digest("base64");
}
