import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  call,
  defineService,
  rowOf,
  type ServiceDefinition,
  sql,
  type VerifyOptions,
  verify,
} from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

const file = new URL(import.meta.url);

async function run(definition: ServiceDefinition, options: Partial<VerifyOptions> = {}) {
  const service = definedService(definition, "a.ts", file);
  const control = { gates: ["statement"] } as const;
  const told = { seed: 1, runs: 40, control, ...options };
  return (await verify(server, service, told)).campaign;
}

/** Notes, of which each is numbered by the database. */
const SCHEMA = `
  create table notes (id int generated always as identity primary key, line text not null);
  insert into notes (line) values ('a'), ('b');`;

interface Notes {
  readonly lines: ReadonlyMap<number, string>;
}

const line = fc.constantFrom("x", "y");

/** The model of the service whose `write` answers the id of the note. */
const notes = defineService({
  setup: SCHEMA,
  operations: {
    write: sql("insert into notes (line) values ($1) returning id", [line]),
    erase: call({ id: rowOf("notes.id") }, async ({ id }, { query }) => {
      const gone = await query("delete from notes where id = $1 returning id", [id]);
      return gone.length;
    }),
  },
  ids: { write: { id: "notes.id" } },
  model: {
    init: (rows): Notes => ({
      lines: new Map(rows["public.notes"]?.map(({ id, line }) => [Number(id), String(line)])),
    }),
    makes: { write: "notes.id" },
    answer({ lines }, { name, values }, id) {
      const after = new Map(lines);
      if (name === "write") {
        after.set(Number(id), String(values["$1"]));
        return { code: "OK", body: [{ id: id ?? null }], after: { lines: after } };
      }
      const body = after.delete(Number(values["id"])) ? 1 : 0;
      return { code: "OK", body, after: { lines: after } };
    },
    rows: ({ lines }) => ({ notes: [...lines].map(([id, line]) => ({ id, line })) }),
    key: ({ lines }) => JSON.stringify([...lines]),
  },
  scenarios: ({ minClients }, generate) =>
    fc
      .array(fc.array(generate(), { minLength: 1, maxLength: 2 }), {
        minLength: minClients,
        maxLength: minClients,
      })
      .map((clients) => ({ initial: { prefix: [] }, clients })),
  mutants: [
    {
      name: "shouting",
      origin: "Lines were normalized.",
      checker: "linearizability",
      depth: "statement",
      smallest: { operations: 1, preemptions: 0 },
      setup: `
        create function shout() returns trigger language plpgsql as $$
        begin new.line := upper(new.line); return new; end $$;
        create trigger shout before insert on notes for each row execute function shout()`,
    },
  ],
});

test("answers and rows are those of the model", async () => {
  const campaign = await run(notes);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null, counterexamples: [] });
  expect(campaign.rules.map(({ name }) => name)).toContain("linearizable");
  expect(Object.keys(campaign.responses).sort()).toEqual(["erase", "write"]);
});

test("a bug that every serial order has is caught by the model alone", async () => {
  const { counterexamples } = await run(notes, { mutant: "shouting", failFast: true });
  const [found] = counterexamples;
  const checkers = found?.violations.map(({ checker }) => checker);
  expect(checkers?.[0]).toBe("linearizability");
  expect(checkers).not.toContain("serial-equivalence");
  expect(found?.scenario.clients.flat().map(({ name }) => name)).toEqual(["write"]);
  expect(found?.violations[0]?.evidence[0]).toMatchObject({
    because: expect.stringMatching(/^notes 3's line should be "[xy]", not "[XY]"$/),
  });
});

test("a seeded bug that there is not is refused", async () => {
  await expect(run(notes, { mutant: "whisper" })).rejects.toMatchObject({ code: "USAGE" });
});

test("an operation that scenarios name and that there is not is refused", async () => {
  const definition = defineService({
    ...notes,
    scenarios: (_, generate) =>
      generate("wipe").map((one) => ({ initial: { prefix: [] }, clients: [[one]] })),
  });
  await expect(run(definition)).rejects.toThrow(
    /no operation "wipe" to generate; .*: write, erase/,
  );
});
