import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A part of a setup: a pattern of files, or a program. */
export type FoundStep = string | { readonly exec: readonly string[] };

/** What is read of a package.json. */
export interface PackageJson {
  readonly name?: string;
  readonly main?: string;
  readonly scripts?: { readonly [name: string]: string };
}

/** The paths that a pattern with `*` in its last part names, in the order of their names. */
export function filesLike(folder: string, pattern: string): readonly string[] {
  const place = dirname(pattern);
  const [before = "", after] = basename(pattern).split("*");
  if (after === undefined) return existsSync(join(folder, pattern)) ? [pattern] : [];
  return entriesOf(join(folder, place))
    .map(({ name }) => name)
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .sort()
    .map((name) => (place === "." ? name : `${place}/${name}`));
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

/** Names of scripts that bring the schema up to date, the likeliest first. */
const MIGRATING = [
  /^(?:db:|knex:|typeorm:|sequelize:)?migrat(?:e|ions?)(?::(?:up|deploy|run|latest))?$/,
  /^(?:db|database|schema|pg)[:_-](?:setup|init|create|prepare|push|sync|load|reset)$/,
  /^(?:setup|init|create|prepare|push|sync|load)[:_-](?:db|database|schema)$/,
];
const SEEDING = /^(?:db:|knex:)?seeds?(?::(?:run|all|dev))?$/;

/** Whether the script that npm runs before `start` does something for the database, and does not build. */
export function preparesDatabase({ prestart = "" }: NonNullable<PackageJson["scripts"]>): boolean {
  return (
    prestart !== "" && !/\b(?:build|tsc|compile|lint|webpack|vite|esbuild|swc)\b/.test(prestart)
  );
}

/** The programs that prepare the database, by the scripts of npm. */
function programsOf({ scripts = {} }: PackageJson): readonly FoundStep[] {
  const names = Object.keys(scripts);
  const migrating = MIGRATING.flatMap((named) => names.find((name) => named.test(name)) ?? [])[0];
  const script = migrating ?? (preparesDatabase(scripts) ? "prestart" : undefined);
  if (script === undefined) return [];
  const seeding = names.filter((name) => SEEDING.test(name)).slice(0, 1);
  return [script, ...seeding].map((name) => ({ exec: ["npm", "run", name] }));
}

/** How the tables of a project are made. */
export async function setupOf(
  folder: string,
  manifest: PackageJson | undefined,
  sources: string,
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
  const programs = programsOf(manifest ?? {});
  if (migrations !== undefined) {
    const up = has(`${migrations}/*.up.sql`);
    const pattern = `${migrations}/*${up ? ".up" : ""}.sql`;
    const [first = ""] = filesLike(folder, pattern);
    const undone = HAS_DOWN.test(await readFile(join(folder, first), "utf8"));
    if (!undone) return { steps: [pattern, ...seeds], warnings: [] };
    if (programs.length > 0) return { steps: [...programs, ...seeds], warnings: [] };
    return { steps: [pattern, ...seeds], warnings: [UNDONE] };
  }
  if (programs.length > 0) return { steps: [...programs, ...seeds], warnings: [] };
  const schema = SCHEMAS.find(has) ?? (await schemaBelow(folder));
  if (schema !== undefined) {
    const others = seeds.filter(
      (seed) => dirname(seed) !== dirname(schema) || !schema.includes("*"),
    );
    return { steps: [schema, ...others], warnings: [] };
  }
  return { steps: [], warnings: [CREATES_TABLE.test(sources) ? MADE_AT_START : NO_SCHEMA] };
}

const CREATES_TABLE = /\bcreate\s+table\b/i;
const NOT_UP = /(?:^|[/_.-])(?:revert|down|undo|drop|verify|tests?)(?:[/_.-]|$)/i;

/** The folder with most files in SQL that create tables, as a pattern; or the only such file. */
async function schemaBelow(folder: string): Promise<string | undefined> {
  const counts = new Map<string, string[]>();
  for (const path of sqlFilesIn(folder)) {
    if (NOT_UP.test(path) || !CREATES_TABLE.test(await readFile(join(folder, path), "utf8")))
      continue;
    counts.set(dirname(path), [...(counts.get(dirname(path)) ?? []), path]);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b.length - a.length);
  if (most === undefined) return undefined;
  const [place, [first = "", ...others]] = most;
  const all = sqlFilesIn(folder).filter((path) => dirname(path) === place);
  const onlyUp = all.every((path) => !NOT_UP.test(path));
  return others.length === 0 && !(all.length > 1 && onlyUp)
    ? first
    : `${place === "." ? "" : `${place}/`}*.sql`;
}

const MOST_DEPTH = 4;

function sqlFilesIn(folder: string, place = "", depth = 0): readonly string[] {
  return entriesOf(join(folder, place)).flatMap((entry) => {
    const path = place === "" ? entry.name : `${place}/${entry.name}`;
    if (entry.isFile()) return entry.name.endsWith(".sql") ? [path] : [];
    const isLeftOut = /^(?:node_modules|dist|build|\..*)$/.test(entry.name) || depth === MOST_DEPTH;
    return entry.isDirectory() && !isLeftOut ? sqlFilesIn(folder, path, depth + 1) : [];
  });
}

/** A folder that is not there yet, or that may not be read, has nothing to find. */
function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

const NO_SCHEMA = "No schema was found: `setup` has to make the tables.";
const MADE_AT_START =
  "The sources create tables. If the service does that when it starts, `setup` may stay empty; else name the program that does it.";

const SUPABASE =
  "Supabase's own roles and schemas (anon, authenticated, auth.users, auth.uid()) are not in an empty database: " +
  "put those that the migrations use into an SQL file before them.";
const UNDONE =
  "The migrations have parts that undo them, which a setup would execute too: name the program that migrates " +
  'instead, such as { exec: ["npx", "node-pg-migrate", "up"] }.';
