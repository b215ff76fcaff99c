import { posix } from "node:path";
import type { SourceFile } from "./source-files.ts";

/** A router under a prefix of another one: `app.use("/orders", orders)`. */
interface Mount {
  readonly on: RouterName;
  readonly prefix: string;
  readonly router: RouterName;
}

/** A variable of a file; without a variable, what the file exports. */
interface RouterName {
  readonly file: string;
  readonly variable: string | undefined;
}

/**
 * `app.use("/api", auth, router)` of Express, `app.route("/api", router)` of Hono, `app.register(router, { prefix:
 * "/api" })` of Fastify.
 */
const MOUNT = /\b(\w+)\.(?:use|route|register)\(/g;
const PREFIX = /^\s*(["'`])(\/[^"'`$]*)\1\s*,/;
const OPTION = /\bprefix\s*:\s*(["'`])(\/[^"'`$]*)\1/;

/** `new Router({ prefix: "/api" })` of Koa. */
const OWN_PREFIX = /\b(\w+)\s*=\s*(?:new\s+)?\w+\(\s*\{\s*prefix\s*:\s*(["'`])(\/[^"'`$]*)\2/g;

/** Mounts within mounts; more would be a circle. */
const MOST_DEPTH = 5;

/** The prefixes under which the routers of some sources are mounted. */
export class RouterMounts {
  readonly #mounts: readonly Mount[];
  readonly #own: ReadonlyMap<string, string>;

  constructor(sources: readonly SourceFile[]) {
    const files = new Set(sources.map(({ path }) => path));
    this.#mounts = sources.flatMap((source) => mountsIn(source, files));
    const own = sources.flatMap(({ path: file, text }) =>
      [...text.matchAll(OWN_PREFIX)].map(
        ([, variable = "", , prefix = ""]) => [keyOf({ file, variable }), prefix] as const,
      ),
    );
    this.#own = new Map(own);
  }

  /** Of a router: one prefix for each place where it is mounted; an empty one if it is nowhere. */
  prefixesOf(router: RouterName, depth = 0): readonly string[] {
    const own = this.#own.get(keyOf(router)) ?? "";
    const inFile = this.#mounts.filter((mount) => keyOf(mount.router) === keyOf(router));
    // What a file exports is the router whose routes it has, if that is not mounted in the file itself.
    const mounts =
      inFile.length > 0
        ? inFile
        : this.#mounts.filter(
            (mount) => mount.router.file === router.file && mount.router.variable === undefined,
          );
    if (mounts.length === 0 || depth > MOST_DEPTH) return [own];
    const all = mounts.flatMap(({ on, prefix }) =>
      this.prefixesOf(on, depth + 1).map((outer) => outer + prefix + own),
    );
    return [...new Set(all)];
  }
}

function keyOf({ file, variable = "" }: RouterName): string {
  return `${file} ${variable}`;
}

function mountsIn({ path: file, text }: SourceFile, files: ReadonlySet<string>): readonly Mount[] {
  const imports = importsIn(file, text, files);
  return [...text.matchAll(MOUNT)].flatMap((match): Mount[] => {
    const [whole, variable = ""] = match;
    const given = untilClosed(text.slice(match.index + whole.length));
    const prefix = (PREFIX.exec(given)?.[2] ?? OPTION.exec(given)?.[2] ?? "").replace(/\/$/, "");
    const inline = [...given.matchAll(REQUIRED)].flatMap(
      ([, , path = ""]) => fileOf(file, path, files) ?? [],
    );
    const named = [...given.replace(PREFIX, "").matchAll(/(?<![.\w"'`])[A-Za-z_$][\w$]*/g)];
    const routers = named.flatMap(([name]): RouterName[] => {
      const imported = imports.get(name);
      if (imported !== undefined) return [{ file: imported, variable: undefined }];
      const isLocal = new RegExp(`\\b(?:const|let|var|function)\\s+${name}\\b`).test(text);
      return isLocal && name !== variable ? [{ file, variable: name }] : [];
    });
    const all = [...inline.map((one) => ({ file: one, variable: undefined })), ...routers];
    return all.map((router) => ({ on: { file, variable }, prefix, router }));
  });
}

const REQUIRED = /\b(?:require|import)\(\s*(["'`])(\.[^"'`]*)\1\s*\)/g;
const IMPORTED =
  /\b(?:import\s+([\w$*{}\s,]+?)\s+from\s*|(?:const|let|var)\s+([\w$]+|\{[^}]*\})\s*=\s*(?:await\s+)?(?:require|import)\(\s*)(["'`])(\.[^"'`]*)\3/g;

/** The files of the project that are imported, by the names of the variables. */
function importsIn(
  file: string,
  text: string,
  files: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const all = [...text.matchAll(IMPORTED)].flatMap(([, module, required, , path = ""]) => {
    const from = fileOf(file, path, files);
    if (from === undefined) return [];
    const names = (module ?? required ?? "").split(/[{},]/).map((part) => part.trim());
    return names.flatMap((name) => {
      const variable = /(?:^|\bas\s+|:\s*)([\w$]+)$/.exec(name)?.[1];
      return variable === undefined ? [] : [[variable, from] as const];
    });
  });
  return new Map(all);
}

const ENDS = ["", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", "/index.js", "/index.ts"];

/** The file that is imported by a path: `./orders`, or `./orders.js` of a file in TypeScript. */
function fileOf(importer: string, path: string, files: ReadonlySet<string>): string | undefined {
  const target = posix.join(posix.dirname(importer.replaceAll("\\", "/")), path);
  return [target, target.replace(/\.([cm]?)js$/, ".$1ts")]
    .flatMap((base) => ENDS.map((end) => base + end))
    .find((candidate) => files.has(candidate));
}

/** The arguments of a call, up to the parenthesis that closes it. */
export function untilClosed(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")" && depth-- === 0) return text.slice(0, at);
  }
  return text;
}
