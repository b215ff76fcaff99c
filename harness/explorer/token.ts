import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Control } from "../core/control.ts";
import type { EarlierExecution } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Schedule } from "../core/schedule.ts";
import { replayFault } from "./counterexample-file.ts";

/** The content of a token: enough to repeat an execution, but without the trace to compare it with. */
export interface ReplayToken {
  readonly service: string;
  readonly mutant: string | null;
  readonly control: Control;
  readonly scenario: Scenario;
  readonly schedule: Schedule;
  /** The executions that come first. Default: none. */
  readonly before?: readonly EarlierExecution[];
}

/** The most that a token may unpack to: far more than any shrunk scenario needs. */
const MAX_BYTES = 1 << 20;
const CHECKSUM_BYTES = 4;

/**
 * A replay as one short word that can be pasted into chats, shells and URLs:
 * `h2.` + base64url(CRC-32 of the rest + raw DEFLATE of the JSON array of the parts).
 */
export function encodeToken(replay: ReplayToken): string {
  const { service, mutant, control, scenario, schedule, before = [] } = replay;
  const { initial, clients } = scenario;
  const parts = [service, mutant, control, initial, clients, schedule.entries, before];
  const packed = deflateRawSync(JSON.stringify(parts), { level: 9 });
  return `h2.${Buffer.concat([checksum(packed), packed]).toString("base64url")}`;
}

/**
 * The inverse of `encodeToken`. White space is ignored, since terminals and mails break long words.
 *
 * @throws HarnessError `REPLAY_INCOMPATIBLE` for another version, `USAGE` for a text that is not a
 * token, or an incomplete one
 */
export function decodeToken(text: string): ReplayToken {
  const [, version, payload] = /^h(\d+)\.([\w-]+)$/.exec(text.replace(/\s+/g, "")) ?? [];
  if (payload === undefined) {
    throw new HarnessError(
      "USAGE",
      "This is not a replay token: a token begins with h2. and has no other punctuation than - and _.",
    );
  }
  if (version !== "2") {
    throw new HarnessError(
      "REPLAY_INCOMPATIBLE",
      `This token has version ${version}, and this Heddle reads version 2: replay it with the Heddle that wrote it, or make it anew: execute "heddle verify" or "heddle run" again with its seed.`,
    );
  }
  const bytes = Buffer.from(payload, "base64url");
  const packed = bytes.subarray(CHECKSUM_BYTES);
  // Several base64url texts decode to the same bytes; encoding gives one of them.
  const canonical = bytes.toString("base64url") === payload;
  if (!canonical || !checksum(packed).equals(bytes.subarray(0, CHECKSUM_BYTES))) {
    throw damaged();
  }
  const parts = unpack(packed);
  if (!Array.isArray(parts) || parts.length !== 7) throw damaged();
  const [service, mutant, control, initial, clients, entries, earlier] = parts as unknown[];
  const scenario = { initial, clients };
  const schedule = { version: 1, entries };
  const before = Array.isArray(earlier) && earlier.length === 0 ? undefined : earlier;
  const sound =
    typeof service === "string" &&
    (mutant === null || typeof mutant === "string") &&
    replayFault(control, "/$defs/control") === undefined &&
    replayFault(scenario, "/$defs/scenario") === undefined &&
    replayFault(schedule, "/$defs/schedule") === undefined &&
    (before === undefined || replayFault(before, "/$defs/before") === undefined);
  if (!sound) throw damaged();
  return {
    service,
    mutant,
    control: control as Control,
    scenario: scenario as Scenario,
    schedule: schedule as Schedule,
    ...(before !== undefined && { before: before as readonly EarlierExecution[] }),
  };
}

function checksum(packed: Buffer): Buffer {
  const bytes = Buffer.alloc(CHECKSUM_BYTES);
  bytes.writeUInt32BE(crc32(packed));
  return bytes;
}

function unpack(packed: Buffer): unknown {
  try {
    return JSON.parse(inflateRawSync(packed, { maxOutputLength: MAX_BYTES }).toString("utf8"));
  } catch (cause) {
    throw damaged(cause);
  }
}

function damaged(cause?: unknown): HarnessError {
  return new HarnessError(
    "USAGE",
    "The replay token is damaged: copy it again, from h2. to its last character, or use the replay file.",
    { cause },
  );
}
