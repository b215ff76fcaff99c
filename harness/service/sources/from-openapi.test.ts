import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../core/json.ts";
import {
  arbitraryOf,
  argumentsOf,
  type RequestOperation,
  requestOf,
} from "../operation-definition.ts";
import { rowOf } from "../row-reference.ts";
import type { SchemaCatalog } from "./catalog.ts";
import { fromOpenApi } from "./from-openapi.ts";
import { resolvedOperations } from "./operation-source.ts";

const catalog: SchemaCatalog = {
  tables: [
    {
      ...{ schema: "public", name: "items", visible: true },
      columns: [
        { name: "id", type: "integer", key: true, primary: true, refers: null, checks: [] },
      ],
    },
  ],
  functions: [],
  enums: {},
};

const context = { catalog, file: new URL(import.meta.url) };

/** The operations of a document with that one path. */
function operationsOf(path: string, item: JsonObject, rest: JsonObject = {}) {
  const document = { openapi: "3.1.0", paths: { [path]: item }, ...rest };
  return fromOpenApi(document).operations(context) as { [name: string]: RequestOperation };
}

/** Different generated values of an operation's arguments. */
function valuesOf(name: string, operation: RequestOperation | undefined) {
  if (operation === undefined) throw new Error(`there is no operation ${name}`);
  const all = fc.sample(arbitraryOf(name, operation), { seed: 1, numRuns: 300 });
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

const body = (schema: Json) => ({ content: { "application/json": { schema } } });

/** The values of a property with that schema. */
function valuesOfProperty(schema: Json, name = "it"): readonly Json[] {
  const post = {
    requestBody: body({ type: "object", required: [name], properties: { [name]: schema } }),
  };
  const [operation] = Object.values(operationsOf("/things", { post }));
  const all = valuesOf("post", operation).map((one) => argumentsOf(one).values[name] ?? null);
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

describe("an operation", () => {
  test("has the name of its id, or its method and path", () => {
    const names = Object.keys(
      operationsOf("/items/{id}", { get: { operationId: "look" }, put: {} }),
    );
    expect(names).toEqual(["look", "PUT /items/{id}"]);
  });

  test("has the path of the server, without its host", () => {
    const pathOf = (rest: JsonObject) =>
      operationsOf("/items", { get: {} }, rest)["GET /items"]?.http.path;
    expect(pathOf({ servers: [{ url: "https://api.example.com/v1/" }] })).toBe("/v1/items");
    expect(pathOf({ servers: [{ url: "/api" }] })).toBe("/api/items");
    expect(pathOf({ servers: [{ url: "https://{host}/v1" }] })).toBe("/items");
    expect(pathOf({ swagger: "2.0", basePath: "/v2" })).toBe("/v2/items");
  });

  test("sends what the path, the query, the headers and the body have, rows by their references", () => {
    const { order } = operationsOf(
      "/items/{id}/orders",
      {
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer" } }],
        post: {
          operationId: "order",
          parameters: [
            { name: "dry", in: "query", required: true, schema: { const: "no" } },
            { name: "page", in: "query", schema: { type: "integer" } },
            { name: "Idempotency-Key", in: "header", schema: { type: "string" } },
          ],
          requestBody: body({ $ref: "#/components/schemas/Order" }),
        },
      },
      {
        components: {
          schemas: {
            Order: {
              required: ["quantity"],
              properties: {
                quantity: { const: 2 },
                note: { const: "quick" },
                total: { type: "integer", readOnly: true },
              },
            },
          },
        },
      },
    );
    const all = valuesOf("order", order);
    expect(all[0]?.["id"]).toMatchObject({ of: "items.id" });
    const requests = all.map((one) => requestOf(order as RequestOperation, { ...one, id: 7 }));
    expect(new Set(requests.map(({ path }) => path))).toEqual(new Set(["/items/7/orders?dry=no"]));
    expect(new Set(requests.map(({ headers }) => headers["Idempotency-Key"])).size).toBe(2);
    const bodies = new Set(requests.map((one) => JSON.stringify(one.body)));
    expect(bodies).toEqual(new Set(['{"quantity":2}', '{"quantity":2,"note":"quick"}']));
  });

  test("may send a body that is no object, and one as OpenAPI 2.0 has it", () => {
    const requestFor = (post: JsonObject) => {
      const [[name, operation] = ["", undefined]] = Object.entries(
        operationsOf("/items", { post }),
      );
      const [one] = valuesOf(name, operation);
      return operation && one && requestOf(operation, one).body;
    };
    expect(requestFor({ requestBody: body({ type: "array", items: { const: 1 } }) })).toEqual([1]);
    const properties = { quantity: { const: 1 } };
    const parameters = [
      { name: "order", in: "body", schema: { properties, required: ["quantity"] } },
    ];
    expect(requestFor({ parameters })).toEqual({ quantity: 1 });
    expect(requestFor({})).toEqual({});
  });

  test("is overridden by arguments, by another operation, or left out", () => {
    const document = {
      paths: {
        "/moves": {
          post: {
            operationId: "move",
            requestBody: body({
              required: ["amount"],
              properties: { amount: { const: 5 } },
            }),
          },
          get: { operationId: "all" },
        },
      },
    };
    const source = fromOpenApi(document, { move: { from: rowOf("items.id") }, all: false });
    const operations = resolvedOperations([source, {}], context);
    expect(Object.keys(operations)).toEqual(["move"]);
    expect(Object.keys(operations["move"]?.arguments ?? {})).toEqual(["amount", "from"]);
    expect(() => fromOpenApi(document, { mvoe: false }).operations(context)).toThrow(
      /has no operation "mvoe" to override; it has: all, move/,
    );
  });
});

describe("values of a schema are few, with its edges:", () => {
  test.each([
    [{ type: "integer", minimum: 1, maximum: 3 }, [1, 2, 3]],
    [{ type: "integer", exclusiveMinimum: 0, maximum: 60 }, [1, 2, 3, 10, 50, 60]],
    [{ type: "integer", minimum: 0, exclusiveMinimum: true, maximum: 2 }, [1, 2]],
    [{ type: "integer", multipleOf: 5, minimum: 5, maximum: 20 }, [5, 10, 15, 20]],
    [{ type: "integer", maximum: -4 }, [-4]],
    [{ type: "string", enum: ["a", "b"] }, ["a", "b"]],
    [{ type: "string", format: "email" }, ["ann@example.com", "ben@example.com"]],
    [{ type: "string", example: "x" }, ["x"]],
    [{ type: "string", minLength: 6 }, ["it-aaa", "it-bbb"]],
    [{ type: "string", maxLength: 4 }, ["it-a", "it-b", "cccc"]],
    [{ type: ["boolean", "null"] }, [true, false, null]],
    [{ const: 1, nullable: true }, [1]],
    [{ enum: [1, 2], nullable: true }, [1, 2]],
    [{ type: "integer", maximum: 1, nullable: true }, [1, null]],
    [{ anyOf: [{ const: 1 }, { type: "null" }] }, [1, null]],
    [{ allOf: [{ properties: { a: { const: 1 } }, required: ["a"] }] }, [{ a: 1 }]],
    [{ type: "array", items: { const: 1 }, maxItems: 2 }, [[1], [1, 1]]],
  ] as const)("%j", (schema, values) => {
    const sorted = (all: readonly Json[]) => all.map((one) => JSON.stringify(one)).sort();
    expect(sorted(valuesOfProperty(schema as unknown as Json))).toEqual(
      sorted(values as readonly Json[]),
    );
  });

  test("a pattern and a format that is not known", () => {
    expect(valuesOfProperty({ type: "string", pattern: "^[A-Z]{3}$" })).toSatisfy(
      (all: readonly string[]) => all.length <= 3 && all.every((one) => /^[A-Z]{3}$/.test(one)),
    );
    expect(valuesOfProperty({ type: "string", format: "other" })).toHaveLength(2);
  });

  test("a schema that contains itself ends", () => {
    const node = {
      properties: { next: { $ref: "#/components/schemas/Node" } },
      required: ["next"],
    };
    const operations = operationsOf(
      "/nodes",
      { post: { requestBody: body({ $ref: "#/components/schemas/Node" }) } },
      { components: { schemas: { Node: node } } },
    );
    expect(valuesOf("post", operations["POST /nodes"]).length).toBe(1);
  });
});

test.each([
  ["nowhere.json", /there is no such file/],
  ["from-openapi.ts", /is no JSON: Unexpected token/],
  ["../../../.ci/nothing.yaml", /there is no such file/],
  [{}, /is no OpenAPI document: it has no `paths`/],
])("the document %s is refused, with the reason", (document, reason) => {
  expect(() => fromOpenApi(document).operations(context)).toThrow(reason);
});

test("a document may be in YAML", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-yaml-"));
  const file = pathToFileURL(join(folder, "shop.heddle.ts"));
  const text = `
openapi: 3.1.0
paths:
  /items/{id}:
    parameters: [{ name: id, in: path, required: true, schema: &id { type: integer } }]
    get:
      operationId: look
      responses: { 200: { description: The item } }
    put:
      operationId: move
      requestBody: { content: { application/json: { schema: { properties: { to: *id } } } } }
`;
  try {
    await writeFile(join(folder, "openapi.yaml"), text);
    await writeFile(join(folder, "broken.yml"), "a: [");
    const operations = fromOpenApi("openapi.yaml").operations({ catalog, file });
    expect(Object.keys(operations)).toEqual(["look", "move"]);
    const [look] = valuesOf("look", operations["look"] as RequestOperation);
    expect(look?.["id"]).toMatchObject({ of: "items.id" });
    const broken = fromOpenApi("broken.yml");
    expect(() => broken.operations({ catalog, file })).toThrow(/is no YAML: /);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("a body that is no JSON", () => {
  const schema = { required: ["name"], properties: { name: { const: "ada" } } };
  const content = (type: string, given: Json = schema) => ({
    requestBody: { content: { [type]: { schema: given } } },
  });

  test.each([
    ["application/x-www-form-urlencoded", "form"],
    ["multipart/form-data", "multipart"],
  ])("of type %s is sent as %s", (media, type) => {
    const operation = operationsOf("/customers", { post: content(media) })["POST /customers"];
    expect(operation).toMatchObject({ type, arguments: { name: "ada" } });
  });

  test("is a text of its type", () => {
    const csv = { const: "a,b" };
    const operation = operationsOf("/imports", { post: content("text/csv", csv) })["POST /imports"];
    if (operation === undefined) throw new Error("there is no operation");
    const [one] = valuesOf("import", operation);
    expect(requestOf(operation, one ?? { name: "" })).toEqual({
      ...{ method: "POST", path: "/imports", headers: { "content-type": "text/csv" } },
      ...{ body: "a,b", type: "text" },
    });
  });

  test("comes after JSON", () => {
    const { requestBody } = content("multipart/form-data");
    const both = { ...requestBody.content, ...content("application/json").requestBody.content };
    const operation = operationsOf("/a", { post: { requestBody: { content: both } } })["POST /a"];
    expect(operation?.type).toBeUndefined();
    expect(operation?.arguments).toEqual({ name: "ada" });
  });

  test.each([
    ["string", undefined, "form"],
    ["string", ["multipart/form-data"], "multipart"],
    ["file", undefined, "multipart"],
  ])("is made of the parameters of OpenAPI 2.0: a %s, of %s", (type, consumes, expected) => {
    const parameters = [{ in: "formData", name: "it", required: true, type }];
    const post = { parameters, ...(consumes && { consumes }) };
    const operation = operationsOf("/things", { post })["POST /things"];
    expect(operation?.type).toBe(expected);
    const [one] = valuesOf("post", operation);
    const isFile = { filename: "file.txt", content: "a file" };
    expect(one?.["it"]).toEqual(type === "file" ? isFile : expect.any(String));
  });
});

test("a document without operations is refused", () => {
  expect(() => resolvedOperations(fromOpenApi({ paths: {} }), context)).toThrow(
    /has no operations/,
  );
});
