import { quantity } from "../../reporters/format-values.ts";
import { referentOf, snakeCase } from "../../service/sources/referent.ts";
import type { FoundOperations, FoundProject } from "./project-scan.ts";
import type { Route } from "./route-scan.ts";

/** The text of a definition file, with a comment at each guess. */
export function definitionText(project: FoundProject): string {
  const { setup, service, operations, warnings } = project;
  const lines = operationLines(operations, project);
  const text = lines.join("\n");
  const names = ["defineService", "fromFunctions", "fromHar", "fromOpenApi", "http", "rowOf"];
  const imported = names.filter(
    (name) => name === "defineService" || new RegExp(`\\b${name}[.(]`).test(text),
  );
  const steps = setup.map((step) =>
    JSON.stringify(step, null, 0).replace('{"exec":', "{ exec: ").replace(/\]\}$/, "] }"),
  );
  return [
    "// Written by `npx heddle init`. What it guessed has a comment: check it, and change what is wrong.",
    ...warnings.map((warning) => `// TODO ${warning}`),
    ...(/\bfc\./.test(text) ? ['import fc from "fast-check";'] : []),
    `import { ${imported.join(", ")} } from "heddle";`,
    "",
    "export default defineService({",
    "  // Executed once, in an empty database.",
    `  setup: [${steps.map((step) => step.replaceAll('","', '", "')).join(", ")}],`,
    ...(project.hasRows || setup.some((step) => typeof step === "object")
      ? []
      : [
          "  // TODO No SQL inserts rows: rowOf(…) finds only those that operations make. Add an SQL file or text.",
        ]),
    ...(service === undefined
      ? []
      : [
          `  // Guess: ${service.why}. It gets DATABASE_URL and PORT.`,
          `  service: { exec: ${JSON.stringify(service.exec).replaceAll('","', '", "')} },`,
        ]),
    ...lines.map((line) => `  ${line}`),
    "  // What no order of the requests explains is found without a rule. A rule says more:",
    '  // invariants: { "stock is never negative": "select * from items where stock < 0" },',
    "});",
    "",
  ].join("\n");
}

/** What the operations come from, as a sentence. */
export function originOf(operations: FoundOperations): string {
  switch (operations.from) {
    case "openapi":
      return `the OpenAPI document ${operations.file}`;
    case "har":
      return `the recorded requests in ${operations.file}`;
    case "functions":
      return "the functions of the schema public";
    case "routes":
      return `${quantity(operations.routes.length, "route")} in the sources`;
  }
}

function operationLines(operations: FoundOperations, project: FoundProject): readonly string[] {
  switch (operations.from) {
    case "openapi":
      return [`operations: fromOpenApi(${JSON.stringify(`./${operations.file}`)}),`];
    case "har":
      return [`operations: fromHar(${JSON.stringify(`./${operations.file}`)}),`];
    case "functions":
      return ["// Every function that a client can call.", 'operations: fromFunctions("public"),'];
    case "routes":
      return [
        "// Guess: the routes that the sources seem to have, and arguments by their names.",
        "operations: {",
        ...operations.routes.flatMap((route) => routeLines(route, project)),
        "},",
      ];
  }
}

function routeLines(route: Route, project: FoundProject): readonly string[] {
  const { method, path, place } = route;
  const parts = path.split("/");
  const inPath = parts.flatMap((part, at) =>
    part.startsWith(":") ? [[part.replace(/^:|\W+$/g, ""), parts[at - 1]] as const] : [],
  );
  const names = new Set(inPath.map(([name]) => name));
  const others = route.arguments.filter((name) => !names.has(name)).map((name) => [name] as const);
  const given = [...inPath, ...others].map(
    ([name, after]) => `${name}: ${valueText(name, after, project)}`,
  );
  const call = `http.${method.toLowerCase()}(${JSON.stringify(path)}`;
  const values = given.length === 0 ? "" : `, { ${given.join(", ")} }`;
  return [`  // ${place}`, `  ${JSON.stringify(`${method} ${path}`)}: ${call}${values}),`];
}

/** The text of an argument: a row, or few values by the type of a column of its name, or by its name. */
function valueText(name: string, after: string | undefined, { catalog }: FoundProject): string {
  const kinds = ["integer", "uuid", "text"] as const;
  const [column] = kinds.flatMap(
    (kind) => referentOf({ name, kind, ...(after && { after }) }, catalog) ?? [],
  );
  if (column !== undefined) return `rowOf(${JSON.stringify(column)})`;
  const snake = snakeCase(name);
  const type = catalog.tables
    .flatMap(({ columns }) => columns)
    .find((one) => snakeCase(one.name) === snake)?.type;
  if (/email/.test(snake)) return 'fc.constantFrom("ann@example.com", "ben@example.com")';
  if (type === "boolean") return "fc.boolean()";
  if (type === "uuid") return "fc.uuid()";
  if (/^(?:timestamp|date)/.test(type ?? "")) return 'fc.constantFrom("2099-01-01", "2099-01-02")';
  if (/^(?:smallint|integer|bigint|numeric|real|double)/.test(type ?? "") || NUMBER.test(snake)) {
    return "fc.integer({ min: 1, max: 3 })";
  }
  return `fc.constantFrom("${snake}-a", "${snake}-b")`;
}

const NUMBER =
  /(?:amount|quantity|qty|count|price|total|number|size|seats|points|units|limit|cents)$/;
