import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const OWN = fileURLToPath(new URL("../", import.meta.url));

/** Where a file that cannot be loaded is mistaken, as ` (path:line)`; empty if nobody says. */
export async function placeOf(error: unknown, file: string): Promise<string> {
  if (!(error instanceof Error)) return "";
  const place = inStack(error.stack ?? "") ?? (await whereParsed(error, file));
  return place === undefined ? "" : ` (${place})`;
}

/** What cannot be parsed has its place before the message, all else in the calls after it. */
function inStack(stack: string): string | undefined {
  const [head = "", ...calls] = stack.split("\n");
  const places = [
    /^((?:file:\/\/)?\/.+:\d+)$/.exec(head)?.[1],
    ...calls.map((call) => /^ +at (?:.*[ (])?((?:file:\/\/)?\/[^()]+:\d+):\d+\)?$/.exec(call)?.[1]),
  ].flatMap((place) => (place === undefined ? [] : asPath(place)));
  return places.find((place) => !place.startsWith(OWN) && !place.includes("/node_modules/"));
}

function asPath(place: string): string {
  return place.startsWith("file:") ? fileURLToPath(place) : place;
}

/** Node tells an importer of JavaScript no more than what is wrong, and the place to who runs it. */
function whereParsed(error: Error, file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (!(error instanceof SyntaxError)) return resolve(undefined);
    execFile(process.execPath, ["--check", file], (_, __, said) => resolve(inStack(said)));
  });
}
