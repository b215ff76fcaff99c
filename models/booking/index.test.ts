import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { booking } from "./booking.fixture.ts";

test("the sources are the migrations, the service's description, its code and the seeded bugs", () => {
  const names = booking.sources.map(({ pathname }) => pathname.split("/").slice(-2).join("/"));
  expect(names).toContain("booking/service.ts");
  expect(names).toContain("mutants/check-then-insert.ts");
  expect(names.filter((name) => /^migrations\/.*\.sql$/.test(name)).length).toBeGreaterThan(5);
  expect(names.filter((name) => /\.test\.ts$/.test(name))).toEqual([]);
  expect(booking.sources.filter((url) => !existsSync(url))).toEqual([]);
});
