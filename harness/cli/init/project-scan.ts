import { existsSync, readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { SchemaCatalog } from "../../service/sources/catalog.ts";
import { type Route, routesIn, sourcesIn } from "./route-scan.ts";
import { catalogOf } from "./schema-scan.ts";

/** Where the operations of a service come from. */
export type FoundOperations =
  | { readonly from: "openapi" | "har"; readonly file: string }
  | { readonly from: "functions" }
  | { readonly from: "routes"; readonly routes: readonly Route[] };

/** A part of a setup: a pattern of files, or a program. */
export type FoundStep = string | { readonly exec: readonly string[] };

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

interface PackageJson {
  readonly name?: string;
  readonly main?: string;
  readonly scripts?: { readonly [name: string]: string };
}

/** What the folder shows; undefined if it has neither a schema, nor a service with something to send to it. */
export async function scanProject(folder: string): Promise<FoundProject | undefined> {
  const manifest = await packageIn(folder);
  const supabase = existsSync(join(folder, "supabase"));
  const { steps, warnings } = await setupOf(folder, manifest);
  const files = steps.flatMap((step) => (typeof step === "string" ? filesLike(folder, step) : []));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  const sql = texts.join("\n");
  const sources = await sourcesIn(folder);
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
  const all = sources.map(({ text }) => text).join("\n");
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

/** The paths that a pattern with `*` in its last part names, in the order of their names. */
function filesLike(folder: string, pattern: string): readonly string[] {
  const place = dirname(pattern);
  const [before = "", after] = basename(pattern).split("*");
  if (after === undefined) return existsSync(join(folder, pattern)) ? [pattern] : [];
  const path = join(folder, place);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return (isFolder ? readdirSync(path) : [])
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .sort()
    .map((name) => (place === "." ? name : `${place}/${name}`));
}

async function packageIn(folder: string): Promise<PackageJson | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageJson;
  } catch {
    return undefined;
  }
}

/** Plain programs are started directly; a script of several is left to npm. */
function startOf({ scripts = {}, main }: PackageJson): FoundProject["service"] {
  const { start } = scripts;
  if (start !== undefined) {
    const plain = /^(?:node|tsx|bun|deno)(?: [\w./=-]+)+$/.test(start);
    const exec = plain ? start.split(" ") : ["npm", "start"];
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

const FOLDERS = ["migrations", "db/migrations", "database/migrations", "sql/migrations", "drizzle"];
const SCHEMAS = ["schema.sql", "db/schema.sql", "sql/schema.sql", "db/structure.sql", "sql/*.sql"];
const SEEDS = [
  "seed.sql",
  "seeds.sql",
  "db/seed.sql",
  "db/seeds.sql",
  "sql/seed.sql",
  "seeds/*.sql",
];

/** Files that undo themselves when they are executed as a whole. */
const HAS_DOWN = /^--\s*(?:down migration|migrate:down|\+goose down)/im;

async function setupOf(
  folder: string,
  manifest: PackageJson | undefined,
): Promise<{ readonly steps: readonly FoundStep[]; readonly warnings: readonly string[] }> {
  const has = (pattern: string) => filesLike(folder, pattern).length > 0;
  if (has("supabase/migrations/*.sql")) {
    const seeds = ["supabase/seed.sql"].filter(has);
    return { steps: ["supabase/migrations/*.sql", ...seeds], warnings: [SUPABASE] };
  }
  const seeds = SEEDS.filter(has);
  if (has("prisma/schema.prisma")) {
    const command = existsSync(join(folder, "prisma/migrations"))
      ? ["migrate", "deploy"]
      : ["db", "push"];
    return { steps: [{ exec: ["npx", "prisma", ...command] }, ...seeds], warnings: [] };
  }
  const migrations = FOLDERS.find((name) => has(`${name}/*.sql`));
  const [script] = Object.keys(manifest?.scripts ?? {}).filter((name) =>
    /^(?:db:)?migrat(?:e|ions?)(?::(?:up|deploy|run|latest))?$/.test(name),
  );
  const byScript = script === undefined ? undefined : { exec: ["npm", "run", script] };
  if (migrations !== undefined) {
    const up = has(`${migrations}/*.up.sql`);
    const pattern = `${migrations}/*${up ? ".up" : ""}.sql`;
    const [first = ""] = filesLike(folder, pattern);
    const undone = HAS_DOWN.test(await readFile(join(folder, first), "utf8"));
    if (!undone) return { steps: [pattern, ...seeds], warnings: [] };
    if (byScript !== undefined) return { steps: [byScript, ...seeds], warnings: [] };
    return { steps: [pattern, ...seeds], warnings: [UNDONE] };
  }
  if (byScript !== undefined) return { steps: [byScript, ...seeds], warnings: [] };
  const schema = SCHEMAS.find(has);
  const others = seeds.filter((seed) => schema !== "sql/*.sql" || !seed.startsWith("sql/"));
  return schema === undefined
    ? { steps: [], warnings: ["No schema was found: `setup` has to make the tables."] }
    : { steps: [schema, ...others], warnings: [] };
}

const SUPABASE =
  "Supabase's own roles and schemas (anon, authenticated, auth.users, auth.uid()) are not in an empty database: " +
  "put those that the migrations use into an SQL file before them.";
const UNDONE =
  "The migrations have parts that undo them, which a setup would execute too: name the program that migrates " +
  'instead, such as { exec: ["npx", "node-pg-migrate", "up"] }.';
