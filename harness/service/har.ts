import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import { isRecord, isText } from "./definition-members.ts";

/** A request that was recorded, and its answer. */
export interface RecordedRequest {
  /** In ISO 8601. */
  readonly startedAt: string;
  readonly method: string;
  readonly url: string;
  /** By name in lower case. */
  readonly headers: { readonly [name: string]: string };
  /** The body as text; undefined if there was none. */
  readonly body?: string | undefined;
  readonly status: number;
  /** The media type of the answer; empty if it has none. */
  readonly type: string;
  /** The body of the answer as text; undefined if there was none, or if it is no text. */
  readonly answer?: string | undefined;
}

/**
 * Recorded requests as an HTTP archive of version 1.2, as browsers and proxies write it
 * (http://www.softwareishard.com/blog/har-12-spec/).
 */
export function harText(requests: readonly RecordedRequest[], version: string): string {
  const entries = requests.map(
    ({ startedAt, method, url, headers, body, status, type, answer }) => ({
      startedDateTime: startedAt,
      time: 0,
      request: {
        ...{ method, url, httpVersion: "HTTP/1.1", cookies: [], headersSize: -1, bodySize: -1 },
        headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
        queryString: [...new URL(url).searchParams].map(([name, value]) => ({ name, value })),
        ...(body !== undefined && {
          postData: { mimeType: headers["content-type"] ?? "", text: body },
        }),
      },
      response: {
        ...{ status, statusText: "", httpVersion: "HTTP/1.1", cookies: [], headers: [] },
        ...{ redirectURL: "", headersSize: -1, bodySize: -1 },
        content: {
          size: answer?.length ?? 0,
          mimeType: type,
          ...(answer !== undefined && { text: answer }),
        },
      },
      cache: {},
      timings: { send: 0, wait: 0, receive: 0 },
    }),
  );
  const har = { log: { version: "1.2", creator: { name: "heddle", version }, entries } };
  return `${JSON.stringify(har, null, 1)}\n`;
}

/**
 * The requests of an HTTP archive, in the order of their beginning.
 *
 * @param file is named in errors
 * @throws HarnessError `USAGE` for a text that is none
 */
export function parseHar(text: string, file: string): readonly RecordedRequest[] {
  const entries = entriesIn(text);
  if (entries === undefined) {
    throw new HarnessError(
      "USAGE",
      `${file} is not an HTTP archive: it has no log.entries; save one in the browser's network view, or with heddle record`,
    );
  }
  return entries
    .flatMap((entry) => requestIn(entry) ?? [])
    .toSorted((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
}

function entriesIn(text: string): readonly unknown[] | undefined {
  try {
    const har: unknown = JSON.parse(text);
    const log = isRecord(har) ? har["log"] : undefined;
    const entries = isRecord(log) ? log["entries"] : undefined;
    return Array.isArray(entries) ? entries : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for an entry that is none of HTTP, such as one that was cancelled. */
function requestIn(entry: unknown): RecordedRequest | undefined {
  if (!isRecord(entry)) return undefined;
  const { request, response, startedDateTime } = entry;
  if (!isRecord(request) || !isRecord(response)) return undefined;
  const { method, url, postData } = request;
  const { status, content } = response;
  if (!isText(method) || !isText(url) || !URL.canParse(url)) return undefined;
  if (typeof status !== "number" || status === 0) return undefined;
  const body = isRecord(postData) ? postData["text"] || formText(postData["params"]) : undefined;
  const { mimeType = "", text, encoding } = isRecord(content) ? content : {};
  const answer = isText(text) && encoding === "base64" ? atob(text) : text;
  return {
    startedAt: isText(startedDateTime) ? startedDateTime : "",
    ...{ method: method.toUpperCase(), url, status },
    headers: {
      ...(isRecord(postData) && isText(postData["mimeType"])
        ? { "content-type": postData["mimeType"] }
        : {}),
      ...headersIn(request["headers"]),
    },
    body: isText(body) && body !== "" ? body : undefined,
    type: isText(mimeType) ? mimeType : "",
    answer: isText(answer) ? answer : undefined,
  };
}

/** The fields of a form, which an archive may have without the text that was sent. */
function formText(params: unknown): string {
  const fields = Array.isArray(params) ? (params as readonly unknown[]) : [];
  return new URLSearchParams(
    fields.flatMap((param): [string, string][] => {
      const { name, value = "" } = isRecord(param) ? param : {};
      return isText(name) && isText(value) ? [[name, value]] : [];
    }),
  ).toString();
}

function headersIn(headers: unknown): { readonly [name: string]: string } {
  if (!Array.isArray(headers)) return {};
  const entries = headers.flatMap((header: unknown) => {
    const { name, value } = isRecord(header) ? header : {};
    return isText(name) && isText(value) ? [[name.toLowerCase(), value] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** The value that a text is as JSON; undefined if it is none. */
export function jsonValue(text: string | undefined): Json | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}
