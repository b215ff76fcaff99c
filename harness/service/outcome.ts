import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import type { Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import { realNow } from "../core/real-clock.ts";
import type { RequestTarget } from "./http-service.ts";
import type { Outcome } from "./scenario-definition.ts";

/** The code of a request to a service that ended by itself. */
const SERVICE_ENDED = "CONNECTION_SERVICE_ENDED";

/** The outcome of a client that was killed: what it has done is unknown. */
export const KILLED: Outcome = { error: "KILLED", message: "the client was killed" };

/** The code of a thrown value that is not an Error. */
export const THROWN = "THROWN";

/** The outcome of a function: its value, or its error. */
export async function outcomeOf(run: () => unknown): Promise<Outcome> {
  try {
    return { value: asJson(await run()) };
  } catch (error) {
    return outcomeOfError(error);
  }
}

function outcomeOfError(error: unknown): Outcome {
  if (error instanceof HarnessError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  return { error: codeOf(error), message };
}

/** The time for a service to end whose connections have ended. */
const END_MS = 200;
const END_POLL_MS = 5;

/**
 * The outcome of a request without an answer. Which error it has depends on the moment at which the
 * service ended; so the outcome is one and the same if it did.
 */
export async function outcomeOfLostRequest(
  error: unknown,
  service: RequestTarget | undefined,
): Promise<Outcome> {
  const outcome = outcomeOfError(error);
  if (service?.ended === undefined || !("error" in outcome)) return outcome;
  const deadline = realNow() + END_MS;
  while (service.ended() === undefined && realNow() < deadline) await delay(END_POLL_MS);
  if (service.ended() === undefined) return outcome;
  return { error: SERVICE_ENDED, message: "the service ended before it answered" };
}

/** The driver's code of an error, usually the SQLSTATE; else the name of the error's class. */
function codeOf(error: unknown): string {
  // An ORM wraps the error of its driver.
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
    if ("original" in at && at.original instanceof Error) return codeOf(at.original);
  }
  return error instanceof Error ? error.name : THROWN;
}

/** The response to an operation with that outcome. */
export function responseOf(outcome: Outcome): Response {
  if ("value" in outcome) {
    const { value: body, status } = outcome;
    if (status === undefined) return { outcome: "ok", code: "OK", body };
    return { outcome: status < 400 ? "ok" : "fail", code: String(status), status, body };
  }
  const { error: code, message } = outcome;
  const isUnknown = outcome === KILLED || isConnectionLoss(code, message);
  return { outcome: isUnknown ? "info" : "fail", code, body: { message } };
}

/**
 * Whether an error reports a lost connection, so that the effect of the statement is unknown: by SQLSTATE
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html), by the code of the operating system,
 * or by the message of a driver.
 */
function isConnectionLoss(code: string, message: string): boolean {
  return (
    /^08...$|^57P0[123]$|^ECONN(RESET|REFUSED|ABORTED)$|^EPIPE$|^UND_ERR_SOCKET$|^CONNECTION_/.test(
      code,
    ) || /^Connection terminated|server closed the connection unexpectedly/.test(message)
  );
}

/** A value as a report shows it: a bigint becomes text; what JSON cannot represent is left out. */
export function asJson<T extends Json>(value: unknown): T {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === "bigint" ? String(item) : item,
  );
  return (text === undefined ? null : JSON.parse(text)) as T;
}
