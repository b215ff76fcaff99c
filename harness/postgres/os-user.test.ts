import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { firstUnprivileged, mayEnter, mayRead, runAs } from "./os-user.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash
nobody:x:65533:65532:nobody:/nonexistent:/usr/sbin/nologin`;

test("the OS user for Postgres is nobody, with the ids of the passwd file", () => {
  expect(firstUnprivileged(PASSWD)).toEqual({ name: "nobody", uid: 65533, gid: 65532 });
});

test("skips a user without positive ids", () => {
  const passwd = PASSWD.replace("65533:65532", "-2:-2");
  expect(firstUnprivileged(passwd)).toEqual({ name: "postgres", uid: 101, gid: 104 });
});

test("root is not chosen under any name", () => {
  expect(firstUnprivileged("root:x:0:0::/:\nnobody:x:0:0::/:\nmine:x:1000:1000::/:")).toBe(
    undefined,
  );
  expect(firstUnprivileged("")).toBe(undefined);
});

// Neither the owner nor in the group of any file here.
const stranger = { name: "stranger", uid: 1_999_999_991, gid: 1_999_999_992 };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-os-user-"));
  await mkdir(join(folder, "inner"));
  await writeFile(join(folder, "inner", "file"), "");
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  { outer: 0o755, inner: 0o755, file: 0o644, enter: true, read: true },
  { outer: 0o711, inner: 0o711, file: 0o604, enter: true, read: true },
  { outer: 0o755, inner: 0o755, file: 0o640, enter: true, read: false },
  { outer: 0o755, inner: 0o750, file: 0o644, enter: false, read: false },
  { outer: 0o700, inner: 0o755, file: 0o644, enter: false, read: false },
])("access of a stranger to folders of modes $outer and $inner", async (modes) => {
  await chmod(join(folder, "inner", "file"), modes.file);
  await chmod(join(folder, "inner"), modes.inner);
  await chmod(folder, modes.outer);
  expect(await mayEnter(stranger, join(folder, "inner"))).toBe(modes.enter);
  expect(await mayRead(stranger, join(folder, "inner", "file"))).toBe(modes.read);
  await chmod(folder, 0o700);
});

test("the owner and the group have their own permission bits", async () => {
  const root = { name: "root", uid: 0, gid: 0 };
  expect(await mayEnter(root, "/")).toBe(true);
  expect(await mayEnter({ ...stranger, gid: 0 }, "/")).toBe(true);
});

test("reports the process id of a program that succeeds", async () => {
  const pids: number[] = [];
  await runAs(undefined, process.execPath, ["-e", "console.log('done')"], (pid) => pids.push(pid));
  expect(pids).toEqual([expect.any(Number)]);
});

test("quotes the output of a program that fails", async () => {
  const script = "console.log('half'); console.error('no space left'); process.exit(3)";
  await expect(runAs(undefined, process.execPath, ["-e", script])).rejects.toMatchObject({
    code: "PROVIDER_FAILED",
    message: expect.stringMatching(/failed: it ended with exit code 3\..*(half|no space left)/s),
  });
});

test("reports a program that is killed, and one that does not exist", async () => {
  const script = "process.kill(process.pid, 'SIGKILL')";
  await expect(runAs(undefined, process.execPath, ["-e", script])).rejects.toThrow(
    /it ended with SIGKILL\. Its output: none/,
  );
  await expect(runAs(undefined, "/nowhere/initdb", [])).rejects.toThrow(
    /ENOENT \(or it needs glibc/,
  );
});

test("passes on only the environment variables that a program needs", async () => {
  process.env["HEDDLE_TEST_SECRET"] = "secret";
  const script = "process.exit(process.env.HEDDLE_TEST_SECRET ? 1 : 0)";
  await runAs(undefined, process.execPath, ["-e", script]);
  delete process.env["HEDDLE_TEST_SECRET"];
});
