import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { loadScenario, loadService, moduleAdvice } from "./load-service.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp("/tmp/hl-");
});

afterAll(() => rm(folder, { recursive: true }));

let files = 0;

async function file(text: string, extension = ".mjs"): Promise<string> {
  const path = join(folder, `s${files++}${extension}`);
  await writeFile(path, text);
  return path;
}

const errorOf = async (text: string) => {
  const loading = loadScenario(await file(text));
  return loading.then(
    () => "it was loaded",
    (error: { readonly code: string; readonly message: string }) => {
      expect(error.code).toBe("USAGE");
      return error.message;
    },
  );
};

test("a file whose top level does not end is an error", async () => {
  const path = await file("await new Promise(() => setInterval(() => {}, 1_000).unref())");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const loading = loadScenario(path);
    const error = expect(loading).rejects.toThrow(/has not ended within 60 s/);
    while (vi.getTimerCount() === 0) await turn();
    vi.advanceTimersByTime(60_000);
    await error;
  } finally {
    vi.useRealTimers();
  }
});

test("a folder is no scenario file", async () => {
  await expect(loadScenario(folder)).rejects.toThrow(/is a folder: give the path of/);
});

const GOOD = "{ setup: 'select 1', clients: { a() {} } }";

test.each([
  [new SyntaxError("Cannot use import statement outside a module"), "a.ts", "name the file .mts"],
  [new SyntaxError("Unexpected token 'export'"), "a.js", 'add "type": "module" to package.json'],
  [new ReferenceError("require is not defined in ES module scope"), "a.js", ""],
  [new SyntaxError("Unexpected token '}'"), "a.js", ""],
  ["Unexpected token 'export'", "a.js", ""],
])("the advice on %s in %s says how Node takes a file as an ES module", (error, name, advice) => {
  const text = moduleAdvice(error, name);
  if (advice === "") expect(text).toBe("");
  else expect(text).toContain(advice);
});

describe("a scenario file", () => {
  test.each([".mjs", ".js", ".ts"])("is loaded from a %s file", async (extension) => {
    const path = await file(`export default ${GOOD}`, extension);
    expect(await loadScenario(path)).toMatchObject({ name: path, single: true });
    // A replay loads the service by its name.
    expect(await loadService(path)).toMatchObject({ name: path, single: true });
  });

  test.each([
    ["export const a = 1", /it has no `export default defineScenario/],
    ["export default { clients: { a() {} } }", /`setup` is neither/],
    ["export default { setup: '', clients: [] }", /`clients` is not an object/],
    ["export default { setup: '', clients: {} }", /a race needs two clients/],
    ["export default { setup: '', clients: { ada: 1 } }", /"ada" is not a function/],
    ["export default { setup: '', clients: { ada: { exec: [] } } }", /"ada" is not a function/],
    ["export default { setup: '', clients: { ada: { http: {} } } }", /"ada" is not a function/],
    [`export default { ...${GOOD}, service: 'npm start' }`, /`service` has neither `exec`/],
    [`export default { ...${GOOD}, invariants: { sum: 1 } }`, /"sum" is neither/],
    [`export default { ...${GOOD}, errors: '40001' }`, /`errors` is not a list/],
    [`export default { ...${GOOD}, reset: 1 }`, /`reset` is neither/],
    [
      `export default { ...${GOOD}, invariant: { sum: 'select 1' } }`,
      /`invariant` is unknown \(did you mean `invariants`\?\); known: `setup`, `clients`, /,
    ],
    [
      "export default { setup: '', clients: { ada: { exec: ['a'], environment: {} } } }",
      /"ada" has an unknown member: `environment` is unknown; known: `exec`, `env`/,
    ],
    [
      "export default { setup: '', clients: { ada: { http: { path: '/', header: {} } } } }",
      /"ada" has an unknown member: `header` is unknown \(did you mean `headers`\?/,
    ],
    [
      `export default { ...${GOOD}, service: { url: 'http://a', databasePort: 1, password: '' } }`,
      /`service` has an unknown member: `password` is unknown; known: .*`databasePassword`/,
    ],
    [
      `export default { ...${GOOD}, serialEquivalence: { id: {} } }`,
      /`serialEquivalence` has an unknown member: `id` is unknown \(did you mean `ids`/,
    ],
    ["export default {", /cannot be loaded: /],
    ["import 'a-package-that-there-is-not'", /cannot be loaded: .*a-package-that-there-is-not/],
    [
      "throw new Error('no such thing')",
      /cannot be loaded: Error: no such thing \(.*s\d+\.mjs:1\)/,
    ],
    ["throw new Error('no 127.0.0.1:5432')", /no 127\.0\.0\.1:5432 \(.*s\d+\.mjs:1\)/],
  ])("with the text %s is rejected, with the reason", async (text, reason) => {
    expect(await errorOf(text)).toMatch(reason);
  });

  test.each([
    ["cleints: {}", /is not a scenario: `cleints` is unknown \(did you mean `clients`\?\)/],
    ["operatoins: {}", /is not a service: it has an unknown member: `operatoins` is unknown/],
  ])("with the misspelt main member %s is rejected as what it is meant to be", async (text, reason) => {
    const path = await file(`export default { setup: '', ${text} }`);
    for (const load of [loadService, loadScenario]) {
      await expect(load(path)).rejects.toMatchObject({
        code: "USAGE",
        message: expect.stringMatching(reason),
      });
    }
  });

  test("with an unknown member is rejected as a scenario, also where a service may be", async () => {
    const path = await file(`export default { ...${GOOD}, invariant: {} }`);
    await expect(loadService(path)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("is not a scenario: `invariant` is unknown"),
    });
  });

  test("that does not exist is an error", async () => {
    await expect(loadScenario("nowhere.ts")).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("the scenario file nowhere.ts does not exist"),
    });
  });
});
