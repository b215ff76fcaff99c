import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What npm publishes whatever `files` says. */
const ALWAYS = ["package.json", "README.md", "LICENSE"];

/** The files of the package, without those that the build writes. */
function publishedFiles(): readonly string[] {
  const { files }: { readonly files: readonly string[] } = JSON.parse(
    readFileSync(`${root}package.json`, "utf8"),
  );
  return [...ALWAYS, ...globSync([...files], { cwd: root })].map((path) =>
    path.replaceAll("\\", "/"),
  );
}

/** The relative links of a page, in Markdown or HTML, as paths in the project. */
function linkedPaths(page: string, text: string): readonly string[] {
  const links = text.matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g);
  return [...links].flatMap(([, markdown, html]) => {
    const [target = ""] = (markdown ?? html ?? "").split("#");
    const relative = target !== "" && !/^[a-z]+:/.test(target);
    return relative ? posix.join(posix.dirname(page), target) : [];
  });
}

test("every relative link of a published page leads to a published file", () => {
  const published = publishedFiles();
  const pages = published.filter((path) => path.endsWith(".md"));
  expect(pages).toEqual(expect.arrayContaining(["README.md", "docs/tutorial.md"]));
  const dangling = pages.flatMap((page) =>
    linkedPaths(page, readFileSync(root + page, "utf8"))
      .filter((path) => !published.includes(path))
      .map((path) => `${page}: ${path}`),
  );
  expect(dangling).toEqual([]);
});

test("links are those to other files of the project", () => {
  const text =
    '[a](../a.md#part) [b](#part) [c](https://example.org/c) <img src="c.png" alt=""> [d](d/README.md)';
  expect(linkedPaths("docs/page.md", text)).toEqual(["a.md", "docs/c.png", "docs/d/README.md"]);
});
