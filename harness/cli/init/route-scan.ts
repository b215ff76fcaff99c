import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { HttpMethod } from "../../service/operation-definition.ts";

/** A route that a source file seems to have. */
export interface Route {
  readonly method: HttpMethod;
  /** With parameters: `/orders/:id`. */
  readonly path: string;
  /** The arguments that its handler seems to read. */
  readonly arguments: readonly string[];
  /** `src/orders.js:12`. */
  readonly place: string;
}

/** A text file of a project. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const NOT_SOURCES = /^(?:node_modules|dist|build|coverage|public|tests?|__tests__|e2e|\..*)$/;
const MOST_FILES = 500;

/** The files of a service in JavaScript and TypeScript below a folder, without its tests. */
export async function sourcesIn(folder: string, root = folder): Promise<readonly SourceFile[]> {
  const found: SourceFile[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (found.length > MOST_FILES) break;
    if (entry.isDirectory() && !NOT_SOURCES.test(entry.name)) {
      found.push(...(await sourcesIn(path, root)));
    } else if (
      /\.[cm]?[jt]sx?$/.test(entry.name) &&
      !/\.(?:test|spec|heddle|d)\./.test(entry.name)
    ) {
      found.push({ path: relative(root, path), text: await readFile(path, "utf8") });
    }
  }
  return found;
}

const ROUTE = /\.(get|post|put|patch|delete)\(\s*(["'`])(\/[^"'`$]*)\2\s*,/g;

/** How far a handler is looked at. */
const HANDLER = 2_000;

/**
 * Routes as Express, Fastify, Koa and Hono declare them: `app.post("/orders/:id", handler)`. A prefix under which a
 * router is mounted is not known, and neither is what a handler reads in other files.
 */
export function routesIn(sources: readonly SourceFile[]): readonly Route[] {
  const routes = sources.flatMap(({ path: file, text }) => {
    const matches = [...text.matchAll(ROUTE)];
    return matches.map((match, index): Route => {
      const [whole, method = "", , path = ""] = match;
      const start = match.index + whole.length;
      const handler = text.slice(
        start,
        Math.min(matches[index + 1]?.index ?? text.length, start + HANDLER),
      );
      return {
        method: method.toUpperCase() as HttpMethod,
        path: path.replace(/\/$/, "") || "/",
        arguments: argumentsRead(handler + namedHandlers(handler, sources)),
        place: `${file}:${text.slice(0, match.index).split("\n").length}`,
      };
    });
  });
  const byName = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  return [...byName.values()];
}

/** The text of handlers that are given by their name: `app.post("/orders", createOrder)`. */
function namedHandlers(handler: string, sources: readonly SourceFile[]): string {
  const [, list = ""] = /^\s*([\w.,\s]+)\)/.exec(handler) ?? [];
  return list
    .split(",")
    .map((name) => name.trim().split(".").at(-1) ?? "")
    .filter((name) => name !== "")
    .map((name) => {
      const declaration = new RegExp(`\\bfunction ${name}\\b|\\b${name}\\s*[=:(][^;]*?(?:=>|\\{)`);
      const text = sources.map((source) => source.text).find((one) => declaration.test(one)) ?? "";
      return text.slice(text.search(declaration)).slice(0, HANDLER);
    })
    .join("\n");
}

/** What frameworks call the body and the query of a request: `req.body`, `await c.req.json()`. */
const GIVEN = String.raw`\b(?:req|request|ctx|context|c)(?:\.(?:req|request))?\.(?:body|query|json\(\))`;
const MEMBER = new RegExp(String.raw`(?:${GIVEN}|\bbody)\??\.(\w+)`, "g");
const DESTRUCTURED = new RegExp(String.raw`\{([^{}]*)\}\s*=\s*(?:await\s+)?${GIVEN}`, "g");

/** The members of the body and the query that a handler reads, in their order. */
function argumentsRead(handler: string): readonly string[] {
  const members = [...handler.matchAll(MEMBER)].map(([, name = ""]) => name);
  const destructured = [...handler.matchAll(DESTRUCTURED)].flatMap(([, list = ""]) =>
    list.split(",").map((member) => /^\s*(\w+)/.exec(member)?.[1] ?? ""),
  );
  return [...new Set([...destructured, ...members])].filter((name) => name !== "");
}
