import { access, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { HarnessError } from "../../core/error.ts";
import { makeFolder } from "../../explorer/atomic-write.ts";
import { isRecord } from "../../service/definition-members.ts";
import { parsedYaml } from "../../service/sources/from-openapi.ts";
import { EXIT } from "../exit.ts";
import { print } from "../output.ts";
import { definitionText, originOf } from "./definition-text.ts";
import { scanProject } from "./project-scan.ts";
import { RACE, workflowFor } from "./start-files.ts";

interface Options {
  readonly url?: URL;
}

/** `heddle init`: writes a definition of the service that is there, or else a scenario to start from. */
export function addInit(command: Command, finished: (exitCode: number) => void): void {
  command
    .argument("[folder]", "the folder of the project", ".")
    .option(
      "--url <url>",
      "the URL of the running service: its OpenAPI document is saved, and used",
      serviceUrl,
    )
    .action(async (folder: string, { url }: Options) => {
      finished(await runCommand(folder, url));
    });
}

function serviceUrl(text: string): URL {
  if (/^https?:/.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError("Give the URL of a service, such as http://localhost:3000.");
}

/** Writes nothing if one of the files exists. Throws HarnessError `USAGE`. */
async function runCommand(folder: string, url: URL | undefined): Promise<number> {
  const served = url && (await servedDocument(url));
  if (served !== undefined) await writeNew(folder, { "openapi.json": `${served}\n` });
  const project = await scanProject(folder);
  if (project === undefined) {
    const files = { "race.mjs": RACE, [WORKFLOW]: workflowFor("run race.mjs") };
    await writeNew(folder, files);
    print(`\nNow run it: npx heddle run ${join(folder, "race.mjs")}\n`);
    return EXIT.pass;
  }
  const file = `${project.name}.heddle.${project.typescript ? "ts" : "mjs"}`;
  const workflow = (await exists(join(folder, WORKFLOW)))
    ? {}
    : { [WORKFLOW]: workflowFor(`verify ${file}`) };
  await writeNew(folder, { [file]: definitionText(project), ...workflow });
  print(`\nThe operations are those of ${originOf(project.operations)}.\n`);
  for (const warning of project.warnings) print(`TODO ${warning}\n`);
  const path = join(folder, file);
  print(
    `\nSee what they answer:       npx heddle doctor ${path}\n` +
      `Then look for races:        npx heddle verify ${path}\n`,
  );
  return EXIT.pass;
}

const WORKFLOW = ".github/workflows/heddle.yml";

/** Where frameworks serve their OpenAPI document. */
const DOCUMENTS = [
  ...["openapi.json", "swagger.json", "docs/json", "documentation/json", "api-json"],
  ...["api/openapi.json", "api-docs.json", "v3/api-docs", "doc", ""],
  ...["openapi.yaml", "openapi.yml", "swagger.yaml", "api/openapi.yaml"],
];

/** The text of the document that a running service serves. Throws HarnessError `USAGE` if there is none. */
async function servedDocument(url: URL): Promise<string> {
  for (const path of DOCUMENTS) {
    const answer = await fetch(new URL(path, url)).catch((cause: unknown) => {
      throw new HarnessError("USAGE", `${url.href} does not answer: start the service first`, {
        cause,
      });
    });
    const text = await answer.text();
    const document = documentIn(text);
    if (isRecord(document) && isRecord(document["paths"])) return JSON.stringify(document, null, 2);
  }
  throw new HarnessError(
    "USAGE",
    `${url.href} serves no OpenAPI document at ${DOCUMENTS.filter((path) => path !== "").join(", ")}: save it as openapi.json, or leave out --url`,
  );
}

/** JSON or YAML; undefined for any other text. */
function documentIn(text: string): unknown {
  for (const parse of [JSON.parse, parsedYaml]) {
    try {
      return parse(text);
    } catch {
      // Perhaps it is the other one.
    }
  }
  return undefined;
}

async function writeNew(folder: string, files: { readonly [path: string]: string }): Promise<void> {
  const paths = Object.keys(files);
  for (const path of paths) {
    if (await exists(join(folder, path))) {
      throw new HarnessError(
        "USAGE",
        `there is a ${join(folder, path)} already, so nothing was written: give another folder, or move the file`,
      );
    }
  }
  try {
    for (const path of paths) await makeFolder(dirname(join(folder, path)), 0o777);
    for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError(
      "USAGE",
      `the folder ${folder} cannot be written to (${why}): give another folder`,
      { cause },
    );
  }
  for (const path of paths) print(`wrote ${join(folder, path)}\n`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
