import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { HarnessError } from "../core/error.ts";
import type { RecordedRequest } from "./har.ts";

/** A proxy before a service, which records what passes. */
export interface RecordingProxy {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts an HTTP proxy on this machine. What it records has the URL of the service.
 *
 * @param port 0: a free one
 * @param done called when a request was answered
 * @throws HarnessError `USAGE` if the port is taken
 */
export async function startRecordingProxy(
  service: URL,
  port: number,
  done: (request: RecordedRequest) => void,
): Promise<RecordingProxy> {
  const server = http.createServer((request, response) => {
    void forward(service, request, response, done);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((cause: unknown) => {
    throw new HarnessError("USAGE", `the port ${port} cannot be listened on: give another one`, {
      cause,
    });
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function forward(
  service: URL,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  done: (request: RecordedRequest) => void,
): Promise<void> {
  const startedAt = new Date().toISOString();
  const url = new URL(request.url ?? "/", service);
  const { method = "GET" } = request;
  try {
    const body = await bytesOf(request);
    // An answer that is not packed can be read.
    const { "accept-encoding": _, ...headers } = { ...request.headers, host: service.host };
    const answer = await answerOf(url, method, headers, body);
    const bytes = await bytesOf(answer);
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.end(bytes);
    done({
      ...{ startedAt, method, url: url.href },
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, String(value)]),
      ),
      body: body.length === 0 ? undefined : body.toString("utf8"),
      status: answer.statusCode ?? 502,
      type: answer.headers["content-type"] ?? "",
      answer: answer.headers["content-encoding"] === undefined ? bytes.toString("utf8") : undefined,
    });
  } catch (error) {
    if (!response.headersSent) response.writeHead(502);
    response.end(`the service ${service.href} does not answer: ${String(error)}`);
  }
}

async function answerOf(
  url: URL,
  method: string,
  headers: http.OutgoingHttpHeaders,
  body: Buffer,
): Promise<http.IncomingMessage> {
  const { request } = url.protocol === "https:" ? https : http;
  const sent = request(url, { method, headers });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [http.IncomingMessage];
  return answer;
}

async function bytesOf(message: http.IncomingMessage): Promise<Buffer> {
  return Buffer.concat((await message.toArray()) as Buffer[]);
}
