import { randomUUID } from "node:crypto";
import { OutputGuard, withoutPasswords } from "../reporters/format-values.ts";

/*
 * Everything that the command prints, by Heddle or by the code under test in its process, passes here,
 * so that data never controls a terminal or a CI system.
 */

type Stream = NodeJS.WriteStream;

/** Writes workflow commands, which would be escaped otherwise; undefined while no guard is installed. */
let writeUnguarded: ((lines: readonly string[]) => void) | undefined;

/**
 * Guards stdout and stderr until the returned function is called. On stderr, passwords in URLs are left
 * out as well. In GitHub Actions, the runner is also told to obey no command but Heddle's annotations
 * (https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions), since code under
 * test may write to the streams in other ways.
 */
export function guardOutput(
  env: { readonly [name: string]: string | undefined } = process.env,
): () => void {
  const stdout = guarded(process.stdout, (text) => text);
  const stderr = guarded(process.stderr, withoutPasswords);
  const token = env["GITHUB_ACTIONS"] === "true" ? randomUUID() : undefined;
  const stop = () => token && stderr.write(`::stop-commands::${token}\n`);
  const resume = () => token && stderr.write(`::${token}::\n`);
  stop();
  writeUnguarded = (lines) => {
    resume();
    stderr.write(lines.map((line) => `${line}\n`).join(""));
    stop();
  };
  return () => {
    resume();
    writeUnguarded = undefined;
    for (const { restore } of [stdout, stderr]) restore();
  };
}

/** Prints workflow commands on stderr, a line each. Their texts must be escaped. */
export function printWorkflowCommands(lines: readonly string[]): void {
  if (writeUnguarded !== undefined) writeUnguarded(lines);
  else for (const line of lines) process.stderr.write(`${line}\n`);
}

function guarded(stream: Stream, filter: (text: string) => string) {
  const { write } = stream;
  const guard = new OutputGuard(stream.isTTY === true);
  const decoder = new TextDecoder();
  const through = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const [encoding, callback] = rest;
    const done = typeof encoding === "function" ? encoding : callback;
    return Reflect.apply(write, stream, [guard.pass(filter(text)), "utf8", done]) as boolean;
  };
  stream.write = through as Stream["write"];
  stream.on("error", ignoreClosedPipe);
  return {
    write: (text: string) => Reflect.apply(write, stream, [text]) as boolean,
    restore: () => {
      stream.write = write;
      stream.off("error", ignoreClosedPipe);
    },
  };
}

/** A reader that has seen enough, such as `head`, closes its pipe: the command goes on to its exit code. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** Prints on the standard output, which belongs to the command alone (see `withOwnOutput`). */
export function print(text: string): void {
  writeOwn(text);
}

/** Writes to the standard output, whatever stands in its place meanwhile. */
let writeOwn = (text: string): void => {
  process.stdout.write(text);
};

/**
 * Runs `work`. What the code under test prints on the standard output meanwhile goes to the standard
 * error, so that it gets neither into a report nor into `--json`.
 */
export async function withOwnOutput<T>(work: () => Promise<T>): Promise<T> {
  const { stdout, stderr } = process;
  const before = { write: stdout.write, own: writeOwn };
  const write = stdout.write.bind(stdout);
  writeOwn = (text) => {
    write(text);
  };
  stdout.write = stderr.write.bind(stderr);
  try {
    return await work();
  } finally {
    stdout.write = before.write;
    writeOwn = before.own;
  }
}
