import { type Module, parseModules } from "./module.ts";

export interface LayoutFinding {
  readonly rule: "imports" | "packages" | "cycles" | "dead-exports" | "file-size";
  readonly path: string;
  readonly message: string;
}

/** Folders of the harness, the lowest first: each may import those that its row names. */
const harness = {
  core: [],
  postgres: ["core"],
  scheduler: ["core"],
  checkers: ["core", "scheduler/scheduler.ts"],
  instrumentation: ["core"],
  footprints: ["core", "instrumentation"],
  proxy: ["core", "instrumentation"],
  execution: [
    ...["core", "postgres", "instrumentation", "footprints", "proxy"],
    "scheduler/scheduler.ts",
  ],
  service: ["core", "postgres", "execution"],
  isolationtester: ["core", "postgres", "proxy", "execution", "service"],
  loading: ["core", "service", "isolationtester"],
  explorer: [
    ...["core", "postgres", "scheduler", "checkers", "footprints", "execution", "service"],
    "loading",
  ],
  mutation: [
    ...["core", "postgres", "scheduler", "checkers", "instrumentation"],
    ...["execution", "service", "explorer"],
  ],
  audit: ["core", "postgres"],
  attack: ["core", "checkers", "service", "explorer/campaign-report.ts"],
  reporters: ["core", "checkers", "scheduler", "explorer", "mutation", "audit", "attack"],
} as const;

/**
 * What the code of a path may import besides its own folder. The first line whose pattern matches a
 * path is that path's rule; a path without a line has no place in the layout.
 */
const folders: readonly { readonly of: RegExp; readonly may: readonly string[] }[] = [
  { of: /^harness\/version\.ts$/, may: [] },
  {
    of: /^harness\/execution\/.*\.test\.ts$/,
    may: [...paths(harness.execution), "harness/scheduler/"],
  },
  ...Object.entries(harness).map(([folder, may]) => ({
    of: new RegExp(`^harness/${folder}/`),
    may: [...paths(may), "harness/version.ts"],
  })),
  {
    of: /^harness\/(cli\/|index\.ts$|vitest\.)/,
    may: [...paths(Object.keys(harness)), "harness/index.ts", "harness/version.ts"],
  },
  {
    of: /^models\/[^/]+\/(system\.ts$|service\.ts$|demo\.ts$|mutants\/|.*\.test\.ts$)/,
    may: ["harness/index.ts", "src/"],
  },
  { of: /^models\/[^/]+\//, may: ["harness/index.ts"] },
  { of: /^examples\//, may: ["harness/index.ts"] },
  { of: /^src\//, may: [] },
  { of: /^bench\//, may: ["harness/", "models/", "src/"] },
  { of: /^(bin|conventions|migrations)\//, may: [] },
];

function paths(names: readonly string[]): readonly string[] {
  return names.map((name) => `harness/${name}${name.endsWith(".ts") ? "" : "/"}`);
}

/** What tests may import as well: they need a database, and stand outside of what they test. */
const testsMay = ["harness/index.ts", "harness/postgres/"];

/** Read by something other than an import: by users, by the command line, by a tool. */
const entries = [
  /^harness\/(index|vitest|cli\/main)\.ts$/,
  /^models\/[^/]+\/index\.ts$/,
  /^examples\//,
  /^[^/]+$/,
];

const isTest = (path: string): boolean => /\.(test|fixture)\.ts$/.test(path);
const LINE_LIMIT = 400;

/**
 * Checkers a tree of sources (text by path relative to the root, with forward slashes).
 * `dependencies` are the packages that an install of the published package brings along.
 */
export function layoutFindings(
  sources: ReadonlyMap<string, string>,
  dependencies: readonly string[],
): readonly LayoutFinding[] {
  const code = new Map([...sources].filter(([path]) => /\.[cm]?[jt]s$/.test(path)));
  const modules = parseModules(code);
  return [
    ...modules.flatMap(forbiddenImports),
    ...modules.flatMap((module) => forbiddenPackages(module, dependencies)),
    ...importCycles(modules),
    ...deadExports(modules),
    ...longFiles(sources),
  ];
}

/** The part of the layout that a path belongs to, within which imports are free. */
function homeOf(path: string): string {
  const depth = /^(harness|models)\//.test(path) ? 2 : 1;
  return `${path.split("/").slice(0, depth).join("/")}/`;
}

function forbiddenImports({ path, imports }: Module): readonly LayoutFinding[] {
  if (!path.includes("/")) {
    return [];
  }
  const may = folders.find(({ of }) => of.test(path))?.may;
  if (may === undefined) {
    return [{ rule: "imports", path, message: "is in a folder that the layout does not know" }];
  }
  const allowed = [homeOf(path), ...may, ...(isTest(path) ? testsMay : [])];
  return imports
    .filter(
      ({ from, isPackage }) => !isPackage && !allowed.some((prefix) => from.startsWith(prefix)),
    )
    .map(({ from }) => ({ rule: "imports", path, message: `must not import ${from}` }));
}

function forbiddenPackages(
  { path, imports }: Module,
  dependencies: readonly string[],
): readonly LayoutFinding[] {
  if (isTest(path) || !/^(harness|models|src|bin)\//.test(path)) {
    return [];
  }
  const isPlain = path.startsWith("harness/core/");
  const allowed = (from: string): boolean =>
    !isPlain && (from.startsWith("node:") || dependencies.some((name) => packageOf(from) === name));
  const reason = isPlain ? "core imports nothing" : "it is not in package.json's dependencies";
  return imports
    .filter(({ from, isPackage }) => isPackage && !allowed(from))
    .map(({ from }) => ({ rule: "packages", path, message: `must not import ${from}: ${reason}` }));
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Each cycle once, at the first of its modules by name, by the shortest way round. */
function importCycles(modules: readonly Module[]): readonly LayoutFinding[] {
  const imported = new Map(
    modules.map(({ path, imports }) => [path, imports.map((it) => it.from)]),
  );
  return modules.flatMap(({ path }): readonly LayoutFinding[] => {
    const ways: string[][] = [[path]];
    const seen = new Set<string>();
    for (const way of ways) {
      for (const next of imported.get(way.at(-1) ?? path) ?? []) {
        if (next === path) {
          return [
            { rule: "cycles", path, message: `imports itself: ${[...way, path].join(" → ")}` },
          ];
        }
        if (next > path && !seen.has(next)) {
          seen.add(next);
          ways.push([...way, next]);
        }
      }
    }
    return [];
  });
}

function deadExports(modules: readonly Module[]): readonly LayoutFinding[] {
  const used = new Set(
    modules.flatMap(({ imports }) =>
      imports.flatMap(({ from, names }) => names.map((name) => `${from} ${name}`)),
    ),
  );
  return modules
    .filter(({ path }) => !entries.some((entry) => entry.test(path)) && !used.has(`${path} *`))
    .flatMap(({ path, exports }) =>
      exports
        .filter((name) => !used.has(`${path} ${name}`))
        .map((name) => ({ rule: "dead-exports", path, message: `nothing imports ${name}` })),
    );
}

function longFiles(sources: ReadonlyMap<string, string>): readonly LayoutFinding[] {
  return [...sources].flatMap(([path, text]) => {
    const lines = text.trimEnd().split("\n").length;
    return lines <= LINE_LIMIT
      ? []
      : [
          {
            rule: "file-size",
            path,
            message: `has ${lines} lines; at most ${LINE_LIMIT} are allowed`,
          },
        ];
  });
}
