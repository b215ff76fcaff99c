import { expect, test } from "vitest";
import { ClientPrograms } from "./client-programs.ts";
import type { RunningProgram } from "./program.ts";

/** Programs and ports that note what happens to them, by the order of their start. */
class Fakes {
  readonly notes: string[] = [];
  readonly ends: (() => void)[] = [];
  waitedMs = 0;

  readonly start = (client: number): RunningProgram => {
    const name = this.#note("start", client);
    const ended = new Promise<Awaited<RunningProgram["ended"]>>((resolve) => {
      this.ends.push(() => resolve({ code: "EXIT_0", stdout: name, stderr: "" }));
    });
    return { kill: () => this.notes.push(`kill ${name}`), ended, stderr: () => "", mute() {} };
  };

  readonly portFor = async (client: number) => {
    const { notes, ends } = this;
    const name = `${client}.${ends.length}`;
    return {
      url: "",
      waitedMs: this.waitedMs,
      open: () => void notes.push(`open ${name}`),
      close: () => void notes.push(`close ${name}`),
    };
  };

  #note(what: string, client: number): string {
    const name = `${client}.${this.ends.length}`;
    this.notes.push(`${what} ${name}`);
    return name;
  }
}

const NEVER = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function ahead(isAhead = true) {
  const fakes = new Fakes();
  const programs = new ClientPrograms(fakes.start, fakes.portFor, { isAhead });
  programs.prepare([0]);
  await settled();
  return { fakes, programs };
}

test("a program is started ahead, let in at its turn, and then that of the next execution is started", async () => {
  const { fakes, programs } = await ahead();
  expect(fakes.notes).toEqual(["start 0.0"]);
  programs.prepare([0]);
  const program = await programs.take(0, NEVER);
  await settled();
  expect(fakes.notes).toEqual(["start 0.0", "open 0.0", "start 0.1"]);
  fakes.ends[0]?.();
  expect((await program.ended).stdout).toBe("0.0");
  await settled();
  expect(fakes.notes.at(-1)).toBe("close 0.0");
});

test("none is started ahead where that may matter", async () => {
  const { fakes, programs } = await ahead(false);
  expect(fakes.notes).toEqual([]);
  await programs.take(0, NEVER);
  await settled();
  expect(fakes.notes).toEqual(["start 0.0", "open 0.0"]);
});

test("one that was held for long is started again, and none is started ahead any more", async () => {
  const fakes = new Fakes();
  fakes.waitedMs = 1_001;
  const programs = new ClientPrograms(fakes.start, fakes.portFor, { isAhead: true });
  programs.prepare([0]);
  await settled();
  await programs.take(0, NEVER);
  programs.prepare([0]);
  await settled();
  expect(fakes.notes).toEqual(["start 0.0", "kill 0.0", "start 0.1", "open 0.1"]);
});

test("one that has ended before its turn is started again, since it may have needed its turn", async () => {
  const { fakes, programs } = await ahead();
  fakes.ends[0]?.();
  await settled();
  await programs.take(0, NEVER);
  await settled();
  expect(fakes.notes).toEqual(["start 0.0", "close 0.0", "start 0.1", "open 0.1"]);
});

test("the signal of its turn kills it while it runs, and not afterwards", async () => {
  const { fakes, programs } = await ahead(false);
  const [first, second] = [new AbortController(), new AbortController()];
  await programs.take(0, first.signal);
  first.abort();
  await programs.take(0, second.signal);
  fakes.ends[1]?.();
  await settled();
  second.abort();
  expect(fakes.notes.filter((note) => note.startsWith("kill"))).toEqual(["kill 0.0"]);
});

test("a program that cannot be started fails at its turn", async () => {
  const fakes = new Fakes();
  const start = () => {
    throw new Error("no such program");
  };
  const programs = new ClientPrograms(start, fakes.portFor, { isAhead: true });
  programs.prepare([0]);
  await settled();
  await expect(programs.take(0, NEVER)).rejects.toThrow("no such program");
  expect(fakes.notes).toEqual(["close 0.0"]);
});
