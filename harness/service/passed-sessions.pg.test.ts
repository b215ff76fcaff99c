import { Client, Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import type { ClientContext } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server?.stop());

/** What a client leaves in a session for a while, and how it takes that back; and how another one would see it. */
interface Left {
  readonly leaves: string;
  readonly takesBack: string;
  readonly sees: string;
}

const SETUP = `
  create table a (id int);
  create table b (id int);
  create sequence numbers`;

/**
 * One client leaves something in a session of a pool, which it gives back meanwhile. The other one has a session,
 * and asks the pool for a second one later. One after the other, they never see it.
 */
function scenarioOf({ leaves, takesBack, sees }: Left) {
  let pool: Pool | undefined;
  let left = 0;
  const withPool = (use: (pool: Pool, url: string) => Promise<unknown>) => {
    return async ({ url }: ClientContext) => {
      if (pool === undefined) [pool, left] = [new Pool({ connectionString: url, max: 4 }), 2];
      const shared = pool;
      try {
        return await use(shared, url);
      } finally {
        if (--left === 0) {
          pool = undefined;
          await shared.end();
        }
      }
    };
  };
  return {
    setup: SETUP,
    clients: {
      leaving: withPool(async (shared, url) => {
        const own = new Client(url);
        await own.connect();
        await own.query("select from a");
        await shared.query(leaves);
        await own.query("select from a");
        await shared.query(takesBack);
        await own.query("select from a");
        await own.end();
      }),
      seeing: withPool(async (shared) => {
        const own = await shared.connect();
        try {
          await own.query("select from b");
          const { rows } = await shared.query<{ seen: unknown }>(sees).catch(() => ({ rows: [] }));
          await own.query("select from b");
          return rows.length === 0 ? "nothing" : String(rows[0]?.seen);
        } finally {
          own.release();
        }
      }),
    },
    invariants: {
      "nobody sees it": ({ outcomes }: { outcomes: { readonly [client: string]: object } }) =>
        JSON.stringify(outcomes["seeing"]).includes('"mine"') ? [outcomes] : [],
    },
  };
}

test.each<[string, Left]>([
  [
    "a parameter",
    {
      leaves: "set app.owner = 'mine'",
      takesBack: "reset app.owner",
      sees: "select current_setting('app.owner', true) as seen",
    },
  ],
  [
    "the last value of a sequence",
    {
      leaves: "select nextval('numbers')",
      takesBack: "discard sequences",
      sees: "select 'mine' as seen from (select currval('numbers')) as x",
    },
  ],
])("reduction does not leave out which client gets a session that keeps %s", async (_, left) => {
  const service = scenarioService(scenarioOf(left), "a.ts", new URL(import.meta.url));
  const { campaign } = await verify(server, service, {
    ...{ seed: 1, strategy: "exhaustive", preemptions: Number.POSITIVE_INFINITY, shrinkTimeMs: 1 },
  });
  expect(campaign.verdict).toBe("fail");
});
