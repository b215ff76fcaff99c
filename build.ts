/**
 * Builds the package into `dist/`: the harness, its JSON schemas, and the examples. A published example
 * is JavaScript, since Node runs no TypeScript below `node_modules`, and imports `heddle` as a
 * user's file does.
 */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";

process.chdir(import.meta.dirname);
rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["--project", "tsconfig.build.json"], { stdio: "inherit" });

for (const schema of globSync("harness/**/*.schema.json")) cpSync(schema, `dist/${schema}`);

for (const file of globSync("examples/{psql,python,shop,functions}/*.{sql,py,js,json}"))
  cpSync(file, `dist/${file}`);
for (const types of globSync("dist/examples/**/*.d.ts")) rmSync(types);
for (const example of globSync("dist/examples/**/*.js")) {
  const text = readFileSync(example, "utf8");
  writeFileSync(example, text.replaceAll(/"(\.\.\/)+harness\/index\.js"/g, '"heddle"'));
}
