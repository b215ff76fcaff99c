import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("./demo.ts", import.meta.url));

/** Starts the demo. `outputWith` resolves when `text` was printed, or when the demo has ended. */
function demo(port: string) {
  const child = spawn(process.execPath, [SCRIPT], {
    env: { ...process.env, PORT: port },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  return {
    ended,
    stop: () => child.kill("SIGINT"),
    async outputWith(text: string): Promise<string> {
      while (!output.includes(text) && child.exitCode === null) {
        await Promise.race([once(child.stdout, "data"), ended]);
      }
      return output;
    },
  };
}

test("shows a vendor with slots, accepts a booking, and ends cleanly", async () => {
  const running = demo("0");
  const output = await running.outputWith("Ctrl-C");
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? "";
  const body = /-d '(.*)'/.exec(output)?.[1] ?? "";
  const authorization = /authorization: (Bearer [^']+)'/.exec(output)?.[1] ?? "";

  const before = (await (await fetch(`${url}/api/vendors/1/slots`)).json()) as { slots: unknown[] };
  expect(before.slots.length).toBeGreaterThan(10);
  expect(output).toContain(`: ${before.slots.length}`);

  const book = () =>
    fetch(`${url}/api/bookings/create`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body,
    });
  expect((await book()).status).toBe(201);
  const again = await book();
  expect(again.status).toBe(409);
  expect(await again.json()).toMatchObject({ code: "BOOKING_CONFLICT" });

  // A client that never finishes its request does not keep the demo from ending.
  const unfinished = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
  unfinished.write("POST /api/bookings/create HTTP/1.1\r\nhost: x\r\ncontent-length: 400\r\n\r\n{");
  await once(unfinished, "ready");
  running.stop();
  expect(await running.ended).toMatchObject({ code: 0 });
  unfinished.destroy();
});

test("a port in use is reported, with exit code 2", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  expect(await demo(String(port)).ended).toEqual({
    code: 2,
    output: `Cannot start: port ${port} is in use. Choose another: PORT=0 npm start.\n`,
  });
  other.close();
});

test.each(["x", "-1", "65536", ""])("PORT=%s is refused, with exit code 2", async (port) => {
  const { code, output } = await demo(port).ended;
  expect(code).toBe(2);
  expect(output).toContain(`PORT is "${port}"`);
});
