import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { duplexPair } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { handshake } from "./handshake.ts";
import { ServerLogin } from "./login.ts";
import { int32, message, startup } from "./messages.fixture.ts";

const ada = { user: "ada", password: "secret", proven: true };
const ok = message("R", int32(0));

afterEach(() => {
  vi.useRealTimers();
});

/** The text of a PasswordMessage. */
const textIn = (answer: Buffer | undefined) => answer?.toString("latin1", 5, answer.length - 1);

test("answers a request for the password, in clear text or by MD5", () => {
  expect(textIn(new ServerLogin(ada).answer(message("R", int32(3))))).toBe("secret");
  const md5 = (text: string) => createHash("md5").update(text, "latin1").digest("hex");
  const answer = new ServerLogin(ada).answer(message("R", int32(5), "salt"));
  expect(textIn(answer)).toBe(`md5${md5(`${md5("secretada")}salt`)}`);
});

test("refuses a session of another role that the server opens without checking its password", () => {
  const other = { ...ada, proven: false };
  expect(() => new ServerLogin(other).answer(ok)).toThrow("not that of the role");
  const checked = new ServerLogin(other);
  checked.answer(message("R", int32(3)));
  expect(checked.answer(ok)).toBeUndefined();
  expect(new ServerLogin(ada).answer(ok)).toBeUndefined();
});

test("refuses a server that changes the nonce, offers no SCRAM, or asks for something else", () => {
  const login = new ServerLogin(ada);
  expect(login.answer(message("R", int32(10), "SCRAM-SHA-256\0\0"))).toBeInstanceOf(Buffer);
  const challenge = message("R", int32(11), "r=another,s=c2FsdA==,i=4096");
  expect(() => login.answer(challenge)).toThrow("challenge");
  const offers = message("R", int32(10), "OTHER\0\0");
  expect(() => new ServerLogin(ada).answer(offers)).toThrow("SCRAM-SHA-256");
  expect(() => new ServerLogin(ada).answer(message("R", int32(7)))).toThrow("kind 7");
});

test.each([
  ["1000001", "iterations, more than"],
  ["2147483647", "iterations, more than"],
  ["0", "damaged"],
  ["1.5", "damaged"],
])("refuses a server that asks for %s iterations", (iterations, says) => {
  const login = new ServerLogin(ada);
  const first = login.answer(message("R", int32(10), "SCRAM-SHA-256\0\0"))?.toString("latin1");
  const nonce = /r=(.*)$/.exec(first ?? "")?.[1];
  const challenge = message("R", int32(11), `r=${nonce}more,s=c2FsdA==,i=${iterations}`);
  expect(() => login.answer(challenge)).toThrow(says);
});

/** A client of a port, and the handshake with it. */
function knocking() {
  const [client, port] = duplexPair({ allowHalfOpen: false });
  const entered = handshake(port as unknown as Socket, {
    password: "right",
    passwordIs: "another one",
    role: { user: "ada", password: "secret" },
    refused: ["postgres"],
  });
  return { client, entered };
}

test("lets a client go that never logs in", async () => {
  vi.useFakeTimers();
  const { client, entered } = knocking();
  client.write(startup("user", "ada"));
  const refused = expect(entered).rejects.toThrow("closed");
  await vi.advanceTimersByTimeAsync(10_000);
  await refused;
});

test.each([
  ["ada", "right", { user: "ada", password: "secret", proven: true }],
  ["bob", "right", { user: "bob", password: "right", proven: true }],
  ["bob", "his own", { user: "bob", password: "his own", proven: false }],
  ["ada", "wrong", undefined],
  ["postgres", "right", undefined],
])("a client that names %s and gives the password %s", async (user, password, login) => {
  const { client, entered } = knocking();
  client.resume().on("error", () => {});
  client.write(startup("user", user));
  client.write(message("p", `${password}\0`));
  if (login === undefined) await expect(entered).rejects.toThrow(/password|role/);
  else expect((await entered).login).toEqual(login);
});
