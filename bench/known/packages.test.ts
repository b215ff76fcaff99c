import { expect, test } from "vitest";
import { ofNpm, versionOf, withInstalledVersions } from "./packages.ts";

test("npm installs what is not Debian's", () => {
  expect(ofNpm({ pg: "8.23.1", pgbouncer: "debian" })).toEqual({ pg: "8.23.1" });
});

test.each([
  ["2:6.1.7.10+dfsg-1~deb12u4", "6.1.7.10"],
  ["2:1.19~1", "1.19"],
  ["1.0.4-1", "1.0.4"],
  ["2:8.2+93", "8.2"],
])("the version %s of Debian is %s", (version, upstream) => {
  const status = `Package: a\nStatus: install ok installed\nVersion: ${version}\n`;
  expect(versionOf(status)).toBe(upstream);
});

test("a package that was removed has no version", () => {
  const status = "Package: a\nStatus: deinstall ok config-files\nVersion: 1.0.4-1\n";
  expect(versionOf(status)).toBeUndefined();
});

test("names the packages of Debian that are missing", async () => {
  const packages = { pg: "8.23.1", "no-package-of-debian": "debian" };
  await expect(withInstalledVersions(packages)).rejects.toThrow(
    "this needs packages of Debian: apt-get install --no-install-recommends no-package-of-debian",
  );
});

test("keeps the versions of npm's packages", async () => {
  await expect(withInstalledVersions({ pg: "8.23.1" })).resolves.toEqual({ pg: "8.23.1" });
});
