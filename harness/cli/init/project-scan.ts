import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { SchemaCatalog } from "../../service/sources/catalog.ts";
import { type Route, routesIn } from "./route-scan.ts";
import { catalogOf } from "./schema-scan.ts";
import {
  type FoundStep,
  filesLike,
  type PackageJson,
  preparesDatabase,
  setupOf,
} from "./setup-scan.ts";
import { sourcesIn } from "./source-files.ts";

/** Where the operations of a service come from. */
export type FoundOperations =
  | { readonly from: "openapi" | "har"; readonly file: string }
  | { readonly from: "functions" }
  | { readonly from: "routes"; readonly routes: readonly Route[] };

/** What a folder shows of a service, by its files alone. */
export interface FoundProject {
  readonly name: string;
  readonly typescript: boolean;
  readonly setup: readonly FoundStep[];
  /** How it is started, and why so; undefined if the service is SQL alone. */
  readonly service: { readonly exec: readonly string[]; readonly why: string } | undefined;
  readonly operations: FoundOperations;
  /** The tables that the SQL of the setup creates, and whether it inserts rows. */
  readonly catalog: SchemaCatalog;
  readonly hasRows: boolean;
  /** What stands in the way, as sentences. */
  readonly warnings: readonly string[];
}

/** What the folder shows; undefined if it has neither a schema, nor a service with something to send to it. */
export async function scanProject(folder: string): Promise<FoundProject | undefined> {
  const manifest = await packageIn(folder);
  const supabase = existsSync(join(folder, "supabase"));
  const sources = await sourcesIn(folder);
  const all = sources.map(({ text }) => text).join("\n");
  const { steps, warnings } = await setupOf(folder, manifest, all);
  const files = steps.flatMap((step) => (typeof step === "string" ? filesLike(folder, step) : []));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  // A program that migrates has the schema in its sources.
  const sql = texts.length > 0 ? texts.join("\n") : all;
  const [archive] = filesLike(folder, "*.har");
  const document = OPENAPI.find((path) => existsSync(join(folder, path)));
  const routes = routesIn(sources);
  const started = manifest && startOf(manifest);
  const operations: FoundOperations | undefined =
    document !== undefined
      ? { from: "openapi", file: document }
      : archive !== undefined
        ? { from: "har", file: archive }
        : routes.length > 0 && !supabase
          ? { from: "routes", routes }
          : /\bcreate\s+(?:or\s+replace\s+)?function\b/i.test(sql)
            ? { from: "functions" }
            : undefined;
  if (operations === undefined || (steps.length === 0 && started === undefined)) return undefined;
  const service = operations.from === "functions" ? undefined : started;
  return {
    name: (manifest?.name ?? basename(resolve(folder)))
      .replaceAll(/[^\w-]+/g, "-")
      .replace(/^-/, ""),
    typescript: existsSync(join(folder, "tsconfig.json")),
    ...{ setup: steps, service, operations, catalog: catalogOf(sql) },
    hasRows: /\binsert\s+into\b/i.test(sql),
    warnings: [
      ...warnings,
      ...(service === undefined ? [] : environmentWarnings(all)),
      ...(operations.from !== "functions" && service === undefined
        ? ["There is no script `start` in package.json: say how the service is started."]
        : []),
    ],
  };
}

const OPENAPI = ["json", "yaml", "yml"].flatMap((end) =>
  ["", "docs/", "api/"].flatMap((place) =>
    ["openapi", "swagger"].map((name) => `${place}${name}.${end}`),
  ),
);

async function packageIn(folder: string): Promise<PackageJson | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageJson;
  } catch {
    return undefined;
  }
}

/** Plain programs are started directly; a script of several, or with one that builds before it, is left to npm. */
function startOf({ scripts = {}, main }: PackageJson): FoundProject["service"] {
  const { start } = scripts;
  if (start !== undefined) {
    const plain = /^(?:node|tsx|bun|deno)(?: [\w./=-]+)+$/.test(start);
    const builds = scripts["prestart"] !== undefined && !preparesDatabase(scripts);
    const exec = plain && !builds ? start.split(" ") : ["npm", "start"];
    const why = 'the script "start" of package.json';
    return { exec: exec[0] === "tsx" ? ["npx", ...exec] : exec, why };
  }
  return main === undefined ? undefined : { exec: ["node", main], why: "`main` of package.json" };
}

/** Heddle gives a service its database and its port in these variables. */
function environmentWarnings(sources: string): readonly string[] {
  const database = /\bDATABASE_URL\b|\bPG(?:HOST|DATABASE|USER)\b|new (?:pg\.)?(?:Pool|Client)\(\)/;
  return [
    ...(/\benv\b[^\n]{0,8}\bPORT\b/.test(sources)
      ? []
      : ["No source reads the variable PORT: the service has to listen on that port."]),
    ...(database.test(sources)
      ? []
      : ["No source reads DATABASE_URL or PGHOST: the service has to use that database."]),
  ];
}
