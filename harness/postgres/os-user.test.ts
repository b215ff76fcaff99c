import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { firstUnprivileged, mayEnter, mayRead } from "./os-user.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash
nobody:x:65533:65532:nobody:/nonexistent:/usr/sbin/nologin`;

test("the account for Postgres is nobody, with the ids that it has here", () => {
  expect(firstUnprivileged(PASSWD)).toEqual({ name: "nobody", uid: 65533, gid: 65532 });
});

test("where nobody has no positive id, it is another one", () => {
  const passwd = PASSWD.replace("65533:65532", "-2:-2");
  expect(firstUnprivileged(passwd)).toEqual({ name: "postgres", uid: 101, gid: 104 });
});

test("root is no account for Postgres, by whatever name", () => {
  expect(firstUnprivileged("root:x:0:0::/:\nnobody:x:0:0::/:\nmine:x:1000:1000::/:")).toBe(
    undefined,
  );
  expect(firstUnprivileged("")).toBe(undefined);
});

// Neither the owner nor in the group of anything here, whoever runs the test.
const stranger = { name: "stranger", uid: 1_999_999_991, gid: 1_999_999_992 };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-account-"));
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
])("a stranger's way into folders of mode $outer and $inner", async (modes) => {
  await chmod(join(folder, "inner", "file"), modes.file);
  await chmod(join(folder, "inner"), modes.inner);
  await chmod(folder, modes.outer);
  expect(await mayEnter(stranger, join(folder, "inner"))).toBe(modes.enter);
  expect(await mayRead(stranger, join(folder, "inner", "file"))).toBe(modes.read);
  await chmod(folder, 0o700);
});

test("the owner and the group have bits of their own", async () => {
  const root = { name: "root", uid: 0, gid: 0 };
  expect(await mayEnter(root, "/")).toBe(true);
  expect(await mayEnter({ ...stranger, gid: 0 }, "/")).toBe(true);
});
