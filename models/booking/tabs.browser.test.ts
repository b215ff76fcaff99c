import fc from "fast-check";
import { Client, Pool } from "pg";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  HarnessError,
  type Invariant,
  type JsonObject,
  type Operation,
  type Response,
  type Scenario,
  type Server,
  type Service,
  type System,
  type SystemContext,
  startServer,
  verify,
} from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { COOKIE, tokensWith } from "../../src/authentication.ts";
import { migrate } from "../../src/migrate.ts";
import { noBrowser, openBrowser } from "../../src/page.fixture.ts";
import { buildServer } from "../../src/server.ts";
import { postgresStore } from "../../src/store.ts";
import { checkThenInsert } from "./mutants/check-then-insert.ts";
import { openPool } from "./service.ts";

/** A click on "Book" in the client's tab, where the first free time is chosen. */
type Click = Operation & { readonly name: "click" };

const twoTabs = {
  initial: null,
  clients: [[{ name: "click" }], [{ name: "click" }]],
} satisfies Scenario<null, Click>;

/** A provider with three free slots. */
const RESET = `
  truncate payments, bookings, availability_slots, providers restart identity;
  insert into providers (name) values ('');
  insert into availability_slots (provider_id, start_at, end_at)
  select 1, '2100-01-04 09:00Z'::timestamptz + n * interval '1 hour',
         '2100-01-04 10:00Z'::timestamptz + n * interval '1 hour'
    from generate_series(0, 2) n`;

/** The key of a snapshot for what the consistency checks report. */
const BROKEN = "broken";

const consistent: Invariant = {
  name: "consistent",
  description: "Slots and bookings agree.",
  check({ [BROKEN]: rows = [] }) {
    if (rows.length === 0) return [];
    const message = rows.map(({ details }) => String(details)).join(" ");
    return [{ checker: "invariant", name: this.name, message, evidence: rows }];
  },
};

/** The key of a snapshot for what each tab shows. Set while no tab waits for an answer. */
const TABS = "tabs";

const oneBooksAndOtherSeesConflict: Invariant = {
  name: "one_books_and_other_sees_conflict",
  description: "One tab shows its booking, the other the conflict card and the free slots.",
  check({ [TABS]: tabs }) {
    if (tabs === undefined) return [];
    const shown = tabs.map((tab) => JSON.stringify(tab)).sort();
    const right = [CONFLICT, HELD].map((tab) => JSON.stringify(tab)).sort();
    if (JSON.stringify(shown) === JSON.stringify(right)) return [];
    const message = `The tabs show ${shown.join(" and ")}.`;
    return [{ checker: "invariant", name: this.name, message, evidence: tabs }];
  },
};

const HELD = { heading: "Your time is held", conflict: null, problem: null, free: null };
const CONFLICT = {
  heading: "Book a time with ",
  conflict: "That time was just taken",
  problem: null,
  free: "2 free, 0 chosen",
};

let browser: Browser;

const tabs: Service<null, Click> = {
  name: "tabs",
  async migrate(directUrl, mutant) {
    await migrate(directUrl);
    if (mutant !== undefined) await executed(directUrl, checkThenInsert.sql ?? "");
  },
  start,
  scenarios: () => fc.constant(twoTabs),
  pairs: () => [{ name: "two tabs", scenario: twoTabs }],
  patterns: [],
  invariants: [consistent, oneBooksAndOtherSeesConflict],
  codes: { click: ["BOOKED", "BOOKING_CONFLICT"] },
  seededBugs: [checkThenInsert],
  sources: [],
};

async function start(
  context: SystemContext,
  mutant: string | undefined,
): Promise<System<null, Click>> {
  const database = new Client({ connectionString: context.directUrl });
  await database.connect();
  const warm = await openPool(
    new Pool({
      connectionString: context.gatedUrl,
      ...(context.gatedStream && { stream: context.gatedStream }),
      max: 4,
      idleTimeoutMillis: 0,
    }),
    4,
  );
  const beside = new Pool({ connectionString: context.directUrl });
  // Only creates and the list of free slots decide what the tabs show. The vendor's name and the
  // visitor's own booking never change, and are read beside the gates.
  const { findProvider, findBooking } = postgresStore(beside);
  const baseline = { ...postgresStore(warm.pool), findProvider, findBooking };
  const seeded = checkThenInsert.store?.(baseline, warm.pool) ?? baseline;
  const tokens = tokensWith("a key for two tabs, and for nothing else");
  const server = buildServer({
    tokens,
    store:
      mutant === undefined
        ? baseline
        : // The seeded bug concerns creates without a key.
          {
            ...baseline,
            createBooking: ({ idempotencyKey: _, ...request }) => seeded.createBooking(request),
          },
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  const pages: Page[] = [];
  for (const id of ["customer-1", "customer-2"]) {
    const context = await browser.newContext();
    const value = await tokens.issue({ role: "customer", id });
    await context.addCookies([{ name: COOKIE, value, url }]);
    // The same idempotency keys in every execution.
    await context.addInitScript("crypto.getRandomValues = (bytes) => bytes.fill(7)");
    pages.push(await context.newPage());
  }

  let waiting = 0;
  return {
    async reset() {
      await database.query(RESET);
      waiting = 0;
      for (const page of pages) {
        await page.goto(`${url}/book/1`);
        await page.evaluate("sessionStorage.clear()");
        await page.getByRole("radio").first().check({ force: true });
        await page.getByLabel("Your name").fill("Ada");
      }
    },

    async perform(_, client): Promise<Response> {
      const page = pages[client];
      if (page === undefined) throw new HarnessError("USAGE", `there is no tab ${client}`);
      waiting++;
      await page.getByRole("button", { name: "Book" }).click({ noWaitAfter: true });
      const ended = ".card:not([hidden]), #booking";
      await page.locator(`body:not([aria-busy]) :is(${ended})`).waitFor();
      waiting--;
      const { conflict, heading } = await shownIn(page);
      if (conflict !== null) return { outcome: "fail", code: "BOOKING_CONFLICT", body: null };
      return { outcome: "ok", code: heading === HELD.heading ? "BOOKED" : "?", body: null };
    },

    async observe() {
      const shown = waiting === 0 && (await Promise.all(pages.map(shownIn)));
      const { rows } = await database.query<JsonObject>(
        "select * from check_slot_booking_consistency()",
      );
      return { [BROKEN]: rows, ...(shown && { [TABS]: shown }) };
    },

    async stop() {
      for (const page of pages) await page.context().close();
      await server.close();
      await warm.close();
      await beside.end();
      await database.end();
    },
  };
}

async function executed(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function shownIn(page: Page): Promise<JsonObject> {
  const text = async (selector: string) => {
    const found = page.locator(selector);
    return (await found.count()) === 0 ? null : await found.first().textContent();
  };
  const times = page.locator("form#book input[name=slot]");
  const count = await times.count();
  const chosen = await times.and(page.locator(":checked")).count();
  return {
    heading: await text("h1"),
    conflict: await text("#conflict:not([hidden]) [data-message]"),
    problem: await text("#problem:not([hidden]) [data-message]"),
    free: count === 0 ? null : `${count} free, ${chosen} chosen`,
  };
}

describe.skipIf(noBrowser !== undefined)(`two tabs that book one time ${noBrowser ?? ""}`, () => {
  let server: Server;

  beforeAll(async () => {
    browser = await openBrowser();
    server = await startServer(testPostgres);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Explores every order of the two tabs' statements, equivalent ones once. */
  async function search(mutant?: string) {
    return verify(server, tabs, {
      seed: 1,
      pairs: true,
      preemptions: Number.POSITIVE_INFINITY,
      shrinkTimeMs: 0,
      control: { gates: ["statement"], isolation: "read committed" },
      mutant,
    });
  }

  test(
    "in every order of their statements, one books and the other sees the conflict",
    { tags: ["nightly"], timeout: 240_000 },
    async () => {
      const { campaign } = await search();
      expect(campaign).toMatchObject({ verdict: "pass", reason: null, counterexamples: [] });
      expect(campaign.pairs).toMatchObject([{ name: "two tabs", complete: true, outcomes: 2 }]);
      const { executions } = campaign;
      // Six of them because both tabs ask for the slots that are free now: the order of two times is searched.
      expect(executions).toBe(22);
      expect(campaign.responses).toEqual({
        click: { BOOKED: executions, BOOKING_CONFLICT: executions },
      });
    },
  );

  test("with the seeded bug check-then-insert, both tabs show a booking", async () => {
    const { campaign } = await search(checkThenInsert.name);
    expect(campaign.verdict).toBe("fail");
    expect(campaign.counterexamples[0]?.violations.map(({ name }) => name)).toContain(
      oneBooksAndOtherSeesConflict.name,
    );
  }, 240_000);
});
