import { readdirSync, readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { guardOutput, withOwnOutput } from "./output.ts";

test("what other code prints on the standard output goes to the standard error meanwhile", async () => {
  const seen: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    seen.push(String(text));
    return true;
  });
  const before = process.stdout.write;
  await withOwnOutput(async () => process.stdout.write("[lib] connecting\n"));
  await expect(withOwnOutput(() => Promise.reject(new Error("late")))).rejects.toThrow("late");
  stderr.mockRestore();
  expect(seen).toEqual(["[lib] connecting\n"]);
  expect(process.stdout.write).toBe(before);
});

test("commands print with `print` alone", () => {
  const folder = new URL(".", import.meta.url);
  const files = readdirSync(folder).filter((name) => /^(?!output|.*\.test).*\.ts$/.test(name));
  const others = files.filter((name) =>
    readFileSync(new URL(name, folder), "utf8").includes("process.stdout.write"),
  );
  expect(others).toEqual([]);
});

test("a reader that closes its pipe is no error, and another failure of the output is one", () => {
  const restore = guardOutput({});
  const failWith = (code: string) =>
    process.stdout.emit("error", Object.assign(new Error(code), { code }));
  try {
    expect(failWith("EPIPE")).toBe(true);
    expect(() => failWith("EIO")).toThrow("EIO");
  } finally {
    restore();
  }
});
