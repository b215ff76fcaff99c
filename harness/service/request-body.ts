import type { Json, JsonObject } from "../core/json.ts";
import { isRecord, isText } from "./definition-members.ts";
import type { BodyType } from "./scenario-definition.ts";

/** How bodies of a media type are sent; undefined for one that is neither JSON, nor a form, nor text. */
export function bodyTypeOf(mediaType: string): BodyType | undefined {
  const [type = ""] = mediaType.toLowerCase().split(";");
  if (/^application\/(?:.*\+)?json$/.test(type)) return "json";
  if (type === "application/x-www-form-urlencoded") return "form";
  if (type === "multipart/form-data") return "multipart";
  return /^text\/|^application\/(?:.*\+)?xml$/.test(type) ? "text" : undefined;
}

/** A file in a form of several parts. */
interface FilePart {
  readonly filename: string;
  readonly content: string;
}

function isFile(value: unknown): value is FilePart {
  return isRecord(value) && isText(value["filename"]) && isText(value["content"]);
}

/**
 * A body as `fetch` takes it. Fields of forms with several values are sent several times, and those that are null
 * are left out. In a form of several parts, `{ filename, content }` is a file.
 */
export function encodedBody(
  type: BodyType,
  body: Json,
): { readonly type: string | undefined; readonly body: string | FormData } {
  switch (type) {
    case "json":
      return { type: "application/json", body: JSON.stringify(body) };
    case "text":
      return { type: "text/plain", body: textOf(body) };
    case "form": {
      const fields = fieldsOf(body).map(([name, value]): [string, string] => [name, textOf(value)]);
      const type = "application/x-www-form-urlencoded";
      return { type, body: new URLSearchParams(fields).toString() };
    }
    case "multipart": {
      const form = new FormData();
      for (const [name, value] of fieldsOf(body)) {
        if (isFile(value)) form.append(name, new Blob([value.content]), value.filename);
        else form.append(name, textOf(value));
      }
      // The boundary between the parts belongs to the media type.
      return { type: undefined, body: form };
    }
  }
}

function fieldsOf(body: Json): readonly (readonly [string, Json])[] {
  if (!isRecord(body)) return [];
  return Object.entries(body as JsonObject)
    .flatMap(([name, value]) => [value].flat().map((one) => [name, one as Json] as const))
    .filter(([, value]) => value !== null);
}

/** A value as the text of a field or of a part of a URL. */
export function textOf(value: Json | undefined): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The value of a body that was sent with a media type; undefined for one that cannot be read. */
export function decodedBody(mediaType: string, text: string): Json | undefined {
  switch (bodyTypeOf(mediaType)) {
    case "json":
      return parsedJson(text);
    case "form":
      return fieldsTogether([...new URLSearchParams(text)]);
    case "multipart":
      return partsOf(mediaType, text);
    case "text":
      return text;
    case undefined:
      return undefined;
  }
}

function parsedJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function fieldsTogether(fields: readonly (readonly [string, Json])[]): JsonObject {
  const together = new Map<string, Json[]>();
  for (const [name, value] of fields) together.set(name, [...(together.get(name) ?? []), value]);
  const entries = [...together].map(([name, all]) => [name, all.length > 1 ? all : (all[0] ?? "")]);
  return Object.fromEntries(entries) as JsonObject;
}

/** The parts of a form (RFC 7578) whose contents are text. */
function partsOf(mediaType: string, text: string): Json | undefined {
  const boundary = /boundary="?([^";]+)"?/i.exec(mediaType)?.[1];
  // Bytes that are no text were lost when the body was recorded as text.
  if (boundary === undefined || text.includes("\uFFFD")) return undefined;
  const parts = text.split(`--${boundary}`).slice(1, -1);
  return fieldsTogether(
    parts.flatMap((part): (readonly [string, Json])[] => {
      const [head = "", ...rest] = part.replace(/^\r?\n/, "").split(/\r?\n\r?\n/);
      const content = rest.join("\r\n\r\n").replace(/\r?\n$/, "");
      const name = /\bname="([^"]*)"/.exec(head)?.[1];
      const filename = /\bfilename="([^"]*)"/.exec(head)?.[1];
      if (name === undefined) return [];
      return [[name, filename === undefined ? content : { filename, content }]];
    }),
  );
}
