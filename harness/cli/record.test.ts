import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseHar } from "../service/har.ts";
import { TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeAll(async () => {
  place = await TestFolder.make();
  // A server reads a body in its own way, and writes an answer in parts.
  await writeFile(
    place.path("suite.mjs"),
    `import { createServer } from "node:http";
     const server = createServer((request, response) => {
       const texts = [];
       request.setEncoding("utf8").on("data", (text) => texts.push(text)).on("end", () => {
         response.writeHead(request.method === "POST" ? 201 : 200, { "content-type": "application/json" });
         response.write('{"id":');
         response.end((JSON.parse(texts.join("") || "{}").item ?? 0) + "}");
       });
     }).listen(0, () => send("http://127.0.0.1:" + server.address().port));
     async function send(url) {
       const body = JSON.stringify({ item: 7 });
       const headers = { "content-type": "application/json", "idempotency-key": "one" };
       const first = await fetch(url + "/orders?x=1", { method: "POST", body, headers });
       const second = await fetch(url + "/orders/7");
       console.log(await first.text(), await second.text());
       server.close();
       process.exitCode = 3;
     }`,
  );
});

afterAll(() => place?.remove());

const recorded = async (file: string) => parseHar(await readFile(place.path(file), "utf8"), file);

test("record notices the servers of the command's own processes, and ends with its exit code", async () => {
  const { code, stdout } = await place.heddle("record", "--", process.execPath, "suite.mjs");
  expect(stdout).toContain('{"id":7} {"id":0}');
  expect(stdout).toContain("wrote session.har: 2 requests");
  expect(code).toBe(3);
  const requests = await recorded("session.har");
  expect(requests).toMatchObject([
    {
      method: "POST",
      body: '{"item":7}',
      status: 201,
      type: "application/json",
      answer: '{"id":7}',
    },
    { method: "GET", body: undefined, status: 200, answer: '{"id":0}' },
  ]);
  expect(requests.map(({ url }) => new URL(url).pathname)).toEqual(["/orders", "/orders/7"]);
  expect(requests[0]?.headers["idempotency-key"]).toBe("one");
});

test("record passes requests on to a service that runs already, and records them", async () => {
  const service = createServer((request, response) => {
    response.setHeader("content-type", "text/plain");
    request.pipe(response);
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as AddressInfo;
  const client = `fetch(process.env.API + "/echo", { method: "PUT", body: "hello" })
    .then((answer) => answer.text()).then(console.log)`;
  const { code, stdout } = await place.heddle(
    ...["record", "--har", "proxy.har", "--service", `http://127.0.0.1:${port}`, "--env", "API"],
    ...["--", process.execPath, "-e", client],
  );
  service.close();
  expect(stdout).toContain("hello");
  expect(code).toBe(0);
  expect(await recorded("proxy.har")).toMatchObject([
    { method: "PUT", url: `http://127.0.0.1:${port}/echo`, body: "hello", answer: "hello" },
  ]);
});

test("record says why nothing was recorded, and what cannot be started", async () => {
  expect(await place.heddle("record", "--", process.execPath, "-e", "0")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no request was recorded while .*--service/),
  });
  expect(await place.heddle("record", "--", "no-such-program")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no-such-program cannot be started"),
  });
});
