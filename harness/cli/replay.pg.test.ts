import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Control } from "../core/control.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { replay } from "../explorer/replay.ts";
import { type VerifyOptions, verify } from "../explorer/verify.ts";
import { loadService } from "../loading/load-service.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { lostUpdate, writeSkew } from "./races.fixture.ts";

/** For each of the five counterexamples: five hundred in all. */
const REPLAYS = 100;

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

const model = (path: string) => fileURLToPath(new URL(`../../models/${path}`, import.meta.url));
const booking = () => loadService(model("booking/index.ts"));
const claims = () => loadService(model("booking/claims.fixture.ts"));
const searched = { pairs: true };
/** Few steps make for fast replays. */
const control: Control = { gates: ["statement", "routine"], isolation: "read committed" };
/** Random walks find these within a dozen executions. */
const walked = { seed: 2, strategy: "random", control } as const;
const repeatableRead: Control = { ...DEFAULTS.control, isolation: "repeatable read" };

test.each<[string, () => Promise<Service>, Partial<VerifyOptions>]>([
  ["a check before an insert", booking, { mutant: "check-then-insert", ...walked }],
  ["a cancel in two transactions", booking, { mutant: "two-transaction-cancel", ...walked }],
  ["claims without locks", claims, { mutant: "claim-without-lock-or-constraints", ...searched }],
  ["a lost update", async () => lostUpdate as Service, searched],
  ["write skew", async () => writeSkew as Service, { control: repeatableRead, ...searched }],
])(
  "a counterexample replays every time: %s",
  async (_, load, options) => {
    const service = await load();
    const { campaign } = await verify(server, service, { seed: 1, ...options });
    const [found] = campaign.counterexamples;
    if (found === undefined) throw new Error("there is no counterexample");
    expect(found.preemptions).toBeGreaterThan(0);

    const { control, mutant } = found;
    const executor = await openExecutor(server, service, mutant ?? undefined, {
      ...DEFAULTS,
      control,
      signal: undefined,
    });
    const diverged: string[] = [];
    for (let left = REPLAYS; left > 0; left--) {
      const replayed = await replay(executor, service, found);
      if (replayed.diverged !== undefined) diverged.push(replayed.diverged);
    }
    await executor.close();
    expect(diverged).toEqual([]);
  },
  120_000,
);
