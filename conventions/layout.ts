import { type Module, parseModules } from "./module.ts";

export interface LayoutFinding {
  readonly rule: "imports" | "packages" | "cycles" | "dead-exports" | "file-size";
  readonly path: string;
  readonly message: string;
}

/** The folders of the harness, the lowest layer first. Each may import what its row names. */
export const harness = {
  core: [],
  postgres: ["core"],
  scheduler: ["core"],
  checkers: ["core", "scheduler"],
  parser: ["core"],
  instrumentation: ["core", "postgres", "parser"],
  footprints: ["core", "postgres", "parser", "instrumentation"],
  proxy: ["core", "instrumentation"],
  execution: [
    ...["core", "postgres", "instrumentation", "footprints", "proxy"],
    "scheduler/scheduler.ts",
  ],
  service: ["core", "postgres", "execution"],
  isolationtester: ["core", "postgres", "parser", "proxy", "execution", "service"],
  loading: ["core", "execution", "service", "isolationtester"],
  explorer: [
    ...["core", "postgres", "scheduler", "checkers", "footprints", "execution", "service"],
    "loading",
  ],
  mutation: [
    ...["core", "postgres", "scheduler", "checkers", "parser"],
    ...["execution", "service", "explorer"],
  ],
  audit: ["core", "postgres"],
  attack: ["core", "checkers", "service"],
  reporters: ["core", "checkers", "scheduler", "explorer", "mutation", "audit", "attack"],
} as const;

/** The layers that commands and benchmarks use; the others are details of those. */
const features = [
  ...[
    "core",
    "postgres",
    "scheduler",
    "checkers/checker.ts",
    "checkers/registry.ts",
    "execution",
    "service",
    "loading",
    "explorer",
  ],
  ...["mutation", "isolationtester", "audit", "attack", "reporters"],
];

/**
 * What the files of a folder may import besides that folder. The first row whose pattern matches a
 * path applies; a path without a row is a finding.
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
    of: /^harness\/cli\//,
    may: [
      ...paths([...features, "proxy/wire-proxy.ts", "proxy/remote-control.ts"]),
      "harness/version.ts",
    ],
  },
  {
    of: /^harness\/(index|vitest|node-test|jest|test-runner)\./,
    may: [...paths(features), "harness/test-runner.ts"],
  },
  {
    of: /^models\/[^/]+\/(service\.ts$|demo\.ts$|mutants\/|.*\.test\.ts$)/,
    may: ["harness/index.ts", "src/"],
  },
  { of: /^models\/[^/]+\//, may: ["harness/index.ts"] },
  { of: /^examples\//, may: ["harness/index.ts"] },
  { of: /^src\//, may: [] },
  {
    of: /^bench\//,
    may: [
      ...paths([...features, "checkers", "footprints", "parser"]),
      "models/booking/",
      "src/migrate.ts",
    ],
  },
  { of: /^(bin|conventions|migrations)\//, may: [] },
];

function paths(names: readonly string[]): readonly string[] {
  return names.map((name) => `harness/${name}${name.endsWith(".ts") ? "" : "/"}`);
}

/** What tests may import as well: the public API, and a database. */
const testsMay = ["harness/index.ts", "harness/postgres/"];

/** Files whose exports are used without an import: by users, the command line or a tool. */
const entries = [
  /^harness\/(index|vitest|node-test|jest|cli\/main)\.ts$/,
  /^models\/[^/]+\/(index|.*\.heddle)\.ts$/,
  /^examples\//,
  /^[^/]+$/,
];

/** What the package contains, as sources or built. */
const published = [/^(harness|bin)\//, /^examples\/(?!knex\/|known\/|stacks\/)/];

/** Packages that one folder wraps for all others. */
const wrapped: { readonly [name: string]: string } = { "libpg-query": "harness/parser/" };

const isTest = (path: string): boolean => /\.(test|fixture)\.ts$/.test(path);
const LINE_LIMIT = 400;

/**
 * Checks a tree of sources: text by path, relative to the root, with forward slashes.
 *
 * @param dependencies the packages that the published package installs
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

/** The folder of a path within which all imports are allowed. */
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
  if (isTest(path) || !published.some((folder) => folder.test(path))) {
    return [];
  }
  return imports.flatMap(({ from, isPackage }) => {
    const reason = isPackage ? forbiddenPackage(path, from, dependencies) : undefined;
    if (reason === undefined) return [];
    return [{ rule: "packages", path, message: `must not import ${from}: ${reason}` }];
  });
}

/** Why a file must not import a package; undefined if it may. */
function forbiddenPackage(
  path: string,
  from: string,
  dependencies: readonly string[],
): string | undefined {
  if (path.startsWith("harness/core/")) return "core imports nothing";
  if (from.startsWith("node:")) return undefined;
  const name = packageOf(from);
  if (!dependencies.includes(name)) return "it is not in package.json's dependencies";
  const folder = wrapped[name] ?? "";
  return path.startsWith(folder) ? undefined : `only ${folder} uses it`;
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Each cycle once, at its first module by name, along the shortest path. */
function importCycles(modules: readonly Module[]): readonly LayoutFinding[] {
  const imported = new Map(
    modules.map(({ path, imports }) => [path, imports.map(({ from }) => from)]),
  );
  return modules.flatMap(({ path }): readonly LayoutFinding[] => {
    const chains: string[][] = [[path]];
    const seen = new Set<string>();
    for (const chain of chains) {
      for (const next of imported.get(chain.at(-1) ?? path) ?? []) {
        if (next === path) {
          return [
            { rule: "cycles", path, message: `imports itself: ${[...chain, path].join(" → ")}` },
          ];
        }
        if (next > path && !seen.has(next)) {
          seen.add(next);
          chains.push([...chain, next]);
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
