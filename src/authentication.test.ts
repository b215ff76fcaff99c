import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { actorOf, COOKIE, parseActor, tokensWith } from "./authentication.ts";

const KEY = "a key that is long enough to be one";
const tokens = tokensWith(KEY);
const ada = { role: "customer", id: "ada" } as const;

describe("a token", () => {
  test.each([
    ada,
    { role: "vendor", id: "7" },
    { role: "system", id: "gateway" },
    { role: "customer", id: '山田 "O\'Neil":🦓' },
  ] as const)("says who its bearer is: %o", async (actor) => {
    expect(await tokens.read(await tokens.issue(actor))).toEqual(actor);
  });

  test("is rejected if it is forged, too old, unsigned or of another kind", async () => {
    const secret = new TextEncoder().encode(KEY);
    const sign = (edit: (jwt: SignJWT) => SignJWT, alg = "HS256") =>
      edit(new SignJWT().setProtectedHeader({ alg })).sign(secret);
    const withoutAudience = (jwt: SignJWT) =>
      jwt.setSubject("customer:ada").setIssuer("booking").setExpirationTime("1 day");
    const good = (jwt: SignJWT) => withoutAudience(jwt).setAudience("booking");
    expect(await tokens.read(await sign(good))).toEqual(ada);

    const token = await tokens.issue(ada);
    const [header, payload, signature] = token.split(".");
    const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const bad of [
      "",
      "a.b.c",
      `${header}.${payload}.`,
      `${header}.${Buffer.from('{"sub":"vendor:1"}').toString("base64url")}.${signature}`,
      `${unsigned}.${payload}.`,
      await tokens.issue(ada, -1),
      await tokensWith(`${KEY}!`).issue(ada),
      await sign(withoutAudience),
      await sign((jwt) => withoutAudience(jwt).setAudience("another")),
      await sign((jwt) => good(jwt).setIssuer("another")),
      await sign((jwt) => good(jwt).setExpirationTime("1 day ago")),
      await sign((jwt) =>
        jwt.setSubject("customer:ada").setIssuer("booking").setAudience("booking"),
      ),
      await sign((jwt) => good(jwt).setSubject("admin:ada")),
      await sign((jwt) => good(jwt).setSubject("customer:")),
      await sign(good, "HS512"),
    ]) {
      expect(await tokens.read(bad), bad).toBeUndefined();
    }
  });

  test("needs a key of at least 32 bytes", () => {
    expect(() => tokensWith("secret")).toThrow("Set TOKEN_KEY to at least 32 random characters.");
  });
});

test("a bearer token names the actor, or else the page's cookie", async () => {
  const [a, b] = [await tokens.issue(ada), await tokens.issue({ role: "vendor", id: "7" })];
  const who = (headers: Record<string, string>) => actorOf({ headers }, tokens);
  expect(await who({ authorization: `Bearer ${a}` })).toEqual(ada);
  expect(await who({ cookie: `other=1; ${COOKIE}=${a}; more=2` })).toEqual(ada);
  expect(await who({ authorization: `bearer ${b}`, cookie: `${COOKIE}=${a}` })).toMatchObject({
    role: "vendor",
  });
  expect(await who({ authorization: `Basic ${a}` })).toBeUndefined();
  expect(await who({ cookie: `not_${COOKIE}=${a}` })).toBeUndefined();
  expect(await who({})).toBeUndefined();
});

test.each([
  "",
  "ada",
  "customer",
  "customer:",
  "admin:1",
  `vendor:${"x".repeat(201)}`,
])("%j is no actor", (text) => {
  expect(parseActor(text)).toBeUndefined();
});
