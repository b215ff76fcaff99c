import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { access, glob, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULTS } from "../explorer/defaults.ts";
import { searchWithStatementGates } from "../explorer/statement-gate-search.ts";
import { verify } from "../explorer/verify.ts";
import { exportReproduction } from "../isolationtester/export.ts";
import { promptOf } from "../isolationtester/psql-scripts.ts";
import type { Reproduction } from "../isolationtester/reproduction.ts";
import { sessionName } from "../isolationtester/reproduction.ts";
import { loadService } from "../loading/load-service.ts";
import { connect } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { lostUpdate } from "./races.fixture.ts";

const isolationtester = await first(
  glob("/usr/lib/postgresql/*/lib/pgxs/src/test/isolation/isolationtester"),
);
const psql = await first(programs("psql"));

async function first(paths: AsyncIterable<string>): Promise<string | undefined> {
  for await (const path of paths) return path;
  if (process.env["CI"] === "true") throw new Error("CI has to test exports with psql");
  return undefined;
}

async function* programs(name: string): AsyncGenerator<string> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      yield path;
  }
}

let server: Server;
let folder: string;
let exported: Reproduction | string;

beforeAll(async () => {
  server = await startServer(testPostgres);
  folder = await mkdtemp(join(tmpdir(), "heddle-export-"));
  const model = fileURLToPath(new URL("../../models/booking/index.ts", import.meta.url));
  exported = await exportOf(await loadService(model), "check-then-insert");
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  await server.stop();
});

/** Finds a violation by exploring the pairs, and exports it. */
async function exportOf(service: Service, mutant?: string): Promise<Reproduction | string> {
  const { campaign } = await verify(server, service, { seed: 1, pairs: true, mutant });
  const [found] = campaign.counterexamples;
  if (found === undefined) throw new Error("the campaign found no violation");
  const opened = (control: typeof found.control) =>
    openExecutor(server, service, mutant, { ...DEFAULTS, control, signal: undefined });
  const executor = await opened(found.control);
  const scheduler = new ReplayScheduler(found.schedule);
  scheduler.begin();
  const execution = await executor.execute(found.scenario, scheduler);
  await executor.close();
  const setup = {
    migrate: (url: string) => service.migrate(url, mutant),
    start: (context: Parameters<Service["start"]>[0]) => service.start(context, mutant),
  };
  const searchStatements = () =>
    searchWithStatementGates(opened, service, found, execution.scenario);
  return exportReproduction(
    { server, setup, counterexample: found, execution, searchStatements },
    folder,
  );
}

const VIOLATED = /slot_with_several_bookings *\| *\{/;

/** A database without the settings of a lease, as users have it. */
async function plainDatabase(): Promise<string> {
  const { url, name } = await server.lease();
  const client = await connect(url);
  await client.query(`alter database ${name} reset all`);
  await client.end();
  return url;
}

test("Heddle's runner of specs sees the violation", async () => {
  expect(await readFile(join(folder, "reproduction.out"), "utf8")).toMatch(VIOLATED);
});

test.skipIf(isolationtester === undefined)(
  "isolationtester sees the violation in the spec",
  async () => {
    const spec = await open(join(folder, "reproduction.spec"));
    const child = spawn(isolationtester ?? "", [await plainDatabase()], {
      stdio: [spec.fd, "pipe", "inherit"],
    });
    expect(await textOf(child)).toMatch(VIOLATED);
    expect(child.exitCode).toBe(0);
    await spec.close();
  },
);

describe.skipIf(psql === undefined)("psql", () => {
  test("sees the violation when Return is pressed in the order of the table", async () => {
    const url = await plainDatabase();
    const { steps } = exported as Reproduction;
    await textOf(script("setup", url));
    const names = new Set(steps.map(({ task }) => sessionName(task)));
    const clients = new Map([...names].map((name) => [name, new Terminal(script(name, url))]));
    const terminal = (name: string) => clients.get(name) as Terminal;
    for (const [at, step] of steps.entries()) {
      const name = sessionName(step.task);
      await terminal(name).prints(promptOf(step));
      terminal(name).child.stdin?.write("\n");
      const next = steps.slice(at + 1).find(({ task }) => task === step.task);
      if (step.waitsFor.length > 0) await oneBackendWaits(url);
      else if (next !== undefined) await terminal(name).prints(promptOf(next));
      else await terminal(name).ended;
    }
    expect(await textOf(script("check", url))).toMatch(VIOLATED);
  });
});

test("a violation that needs gates inside the server is not exported, and the reason is given", async () => {
  expect(await exportOf(lostUpdate as Service)).toMatch(
    /^client\d moves while client\d is inside a statement \((increment\(integer\), line \d|the transaction)\), where only a gate of Heddle can hold it; and no order of whole statements that was tried breaks the same rule\.$/,
  );
});

async function oneBackendWaits(url: string): Promise<void> {
  const client = await connect(url);
  const waiting = async () => {
    const { rowCount } = await client.query(
      `select from pg_stat_activity
        where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`,
    );
    return rowCount;
  };
  await expect.poll(waiting).toBe(1);
  await client.end();
}

function script(name: string, url: string): ChildProcess {
  return spawn(psql ?? "", ["-X", "-f", join(folder, `${name}.sql`), url]);
}

async function textOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await once(child, "close");
  return text;
}

/** A psql process, and its output so far. */
class Terminal {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  #output = "";

  constructor(child: ChildProcess) {
    this.child = child;
    this.ended = once(child, "close");
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      this.#output += part;
    });
  }

  async prints(text: string): Promise<void> {
    await expect.poll(() => this.#output).toContain(text);
  }
}
