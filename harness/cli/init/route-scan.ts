import type { HttpMethod } from "../../service/operation-definition.ts";
import { RouterMounts, untilClosed } from "./router-mounts.ts";
import type { SourceFile } from "./source-files.ts";

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

const METHOD = "get|post|put|patch|delete";
/** `app.get("/orders", …)`, or the beginning of a chain: `router.route("/orders").get(…).post(…)`. */
const ROUTE = new RegExp(
  String.raw`(?:\b(\w+)\s*)?\.(${METHOD}|route)\(\s*(["'\`])(\/[^"'\`$]*)\3\s*(,|\))`,
  "g",
);
const CHAINED = new RegExp(String.raw`^\s*(?:\/\/[^\n]*\s*)*\.(${METHOD})\(`);

/** How far a handler is looked at. */
const HANDLER = 2_000;

/** A route within its file. */
interface FoundRoute {
  readonly router: string;
  readonly method: string;
  readonly path: string;
  readonly handler: string;
  readonly line: number;
}

/**
 * Routes as Express, Fastify, Koa and Hono declare them: `app.post("/orders/:id", handler)`, with the prefixes under
 * which their routers are mounted.
 */
export function routesIn(sources: readonly SourceFile[]): readonly Route[] {
  const mounts = new RouterMounts(sources);
  const routes = sources.flatMap((source) =>
    foundIn(source).flatMap(({ router: variable, method, path, handler, line }) =>
      mounts.prefixesOf({ file: source.path, variable }).map(
        (prefix): Route => ({
          method: method.toUpperCase() as HttpMethod,
          path: `${prefix}${path}`.replace(/\/$/, "") || "/",
          arguments: argumentsRead(handler + namedHandlers(handler, sources)),
          place: `${source.path}:${line}`,
        }),
      ),
    ),
  );
  const byName = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  return [...byName.values()];
}

function foundIn({ text }: SourceFile): readonly FoundRoute[] {
  const matches = [...text.matchAll(ROUTE)];
  let router = "";
  return matches.flatMap((match, index): FoundRoute[] => {
    const [whole, named, method = "", , path = "", after] = match;
    // Without a name a call continues the chain of another one.
    router = named ?? router;
    const start = match.index + whole.length;
    const next = matches[index + 1]?.index ?? text.length;
    const line = text.slice(0, match.index).split("\n").length;
    const rest = text.slice(start, next);
    if (method === "route") {
      return after === ")" ? chained(rest).map((one) => ({ router, path, line, ...one })) : [];
    }
    return after === "," ? [{ router, method, path, handler: rest.slice(0, HANDLER), line }] : [];
  });
}

/** The methods of a chain, each with its handler. */
function chained(text: string): readonly Pick<FoundRoute, "method" | "handler">[] {
  const found: Pick<FoundRoute, "method" | "handler">[] = [];
  let rest = text;
  for (let match = CHAINED.exec(rest); match !== null; match = CHAINED.exec(rest)) {
    const [whole, method = ""] = match;
    const handler = untilClosed(rest.slice(whole.length));
    found.push({ method, handler: handler.slice(0, HANDLER) });
    rest = rest.slice(whole.length + handler.length + 1);
  }
  return found;
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
