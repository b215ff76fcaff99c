import { afterEach, beforeEach, expect, test } from "vitest";
import { offerPortPassword, PORT_PASSWORD } from "./port-password.ts";

const own = process.env["PGPASSWORD"];

beforeEach(() => {
  process.env["PGPASSWORD"] = "the user's";
});

afterEach(() => {
  if (own === undefined) delete process.env["PGPASSWORD"];
  else process.env["PGPASSWORD"] = own;
});

test("the environment has the password of the ports until the last offer has ended", () => {
  const [end, endOther] = [offerPortPassword(), offerPortPassword()];
  expect(process.env["PGPASSWORD"]).toBe(PORT_PASSWORD);
  end();
  end();
  expect(process.env["PGPASSWORD"]).toBe(PORT_PASSWORD);
  endOther();
  expect(process.env["PGPASSWORD"]).toBe("the user's");
});

test("a variable that was not set is not set afterwards", () => {
  delete process.env["PGPASSWORD"];
  offerPortPassword()();
  expect("PGPASSWORD" in process.env).toBe(false);
});
