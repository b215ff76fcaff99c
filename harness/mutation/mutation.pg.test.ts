import { afterAll, beforeAll, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { verify } from "../explorer/verify.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { derivedName, mutantNamed } from "./derivation.ts";
import { conclusions, layersOfDefence } from "./layers.ts";
import { mutationScore } from "./mutation-score.ts";
import { INDEX, LOCK, oneTicket, tickets } from "./tickets.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

const { control, stepTimeoutMs } = DEFAULTS;
const common = { seed: 1, stepTimeoutMs, signal: undefined };
const layersOptions = { ...common, preemptions: 1, control };
const scoreOptions = { ...common, runs: 60 };

test("the score counts caught mutants, survivors and what the service states of these", async () => {
  const survivors = [
    { id: INDEX, verdict: "equivalent", reason: "the lock is enough" },
    { id: LOCK, verdict: "gap", reason: "the index is enough" },
    { id: "delete-statement take: return 'OK';", verdict: "equivalent", reason: "not so" },
    { id: "drop-index tickets_twice", verdict: "equivalent", reason: "there is none" },
  ] as const;
  const done: number[] = [];
  const score = await mutationScore(server, tickets({ survivors }), {
    ...scoreOptions,
    onResult: (_, count) => done.push(count),
  });
  const outcomes = score.results.map(
    ({ outcome, verdict, mutant, by }) =>
      `${verdict ?? outcome} ${mutant.id}${by === null ? "" : ` by ${by.checker}/${by.name}`}`,
  );
  expect(outcomes).toEqual([
    "unknown drop-constraint seats.seats_pkey",
    "equivalent drop-index tickets_once",
    "survived delete-statement take: perform from seats where id = p_seat for update;",
    "survived negate-condition take: where id = p_seat",
    "gap strip-lock take: for update",
    "survived delete-statement take: if exists (select from tickets where seat = p_seat) then return 'TAKEN'; end if;",
    "caught negate-condition take: if exists (select from tickets where seat = p_seat) by invariant/one-ticket",
    "survived negate-condition take: where seat = p_seat",
    "survived delete-statement take: return 'TAKEN';",
    "caught delete-statement take: insert into tickets values (p_seat, p_holder); by invariant/one-ticket",
    "caught delete-statement take: return 'OK'; by invariant/one-ticket",
  ]);
  expect(score.score).toBeCloseTo(4 / 11);
  expect(score.misclassified.map(({ id }) => id)).toEqual([survivors[2].id, survivors[3].id]);
  const reasons = score.results.map(({ reason }) => reason);
  expect(reasons[0]).toContain("reset");
  expect(reasons.slice(1, 5)).toEqual(["the lock is enough", null, null, "the index is enough"]);
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test("layers of defence tell which protections suffice, and how a promise breaks without them", async () => {
  const { promises } = await layersOfDefence(
    server,
    tickets({ promises: [oneTicket] }),
    layersOptions,
  );
  const [layers] = promises;
  if (layers === undefined) throw new Error("no promise was looked at");
  expect(layers.cases.map(({ without, outcome }) => [without.join(" + "), outcome])).toEqual([
    ["", "holds"],
    ["the lock", "holds"],
    ["the check", "holds"],
    ["the index", "holds"],
    ["the lock + the check", "holds"],
    ["the lock + the index", "breaks"],
    ["the check + the index", "breaks"],
    ["the lock + the check + the index", "breaks"],
  ]);
  expect(conclusions(layers)).toEqual([
    "It holds with all of its protections in place.",
    "By itself the index suffices.",
    "Without the lock and the index it breaks.",
    "Without the check and the index it breaks.",
  ]);
  const race = layers.cases[5]?.counterexample;
  expect(race).toMatchObject({
    mutant: "no double selling without the lock + the index",
    preemptions: 1,
    violations: [{ checker: "invariant", name: "one-ticket" }],
  });

  const service = tickets({ promises: [oneTicket] });
  const name = "no double selling without the lock + the index";
  const { campaign } = await verify(server, service, {
    seed: 1,
    pairs: true,
    mutant: await mutantNamed(server, service, name),
  });
  const [found] = campaign.counterexamples;
  expect(found?.schedule).toEqual(race?.schedule);
  expect(race?.brokenAt).toBeGreaterThan(1);
  expect(found?.brokenAt).toBe(race?.brokenAt);
});

test("verify applies a derived mutant by its name", async () => {
  const name = derivedName("delete-statement take: return 'OK';");
  const mutant = await mutantNamed(server, tickets(), name);
  const { campaign } = await verify(server, tickets(), { seed: 1, runs: 1, mutant });
  expect(campaign).toMatchObject({ verdict: "fail", mutant: name });
});

test.each([
  ["USAGE", "no promises", []],
  ["SERVICE_FAILED", 'no pair "take"', [{ ...oneTicket, pairs: ["take"] }]],
  [
    "SERVICE_FAILED",
    "no rule invariant/x",
    [{ ...oneTicket, rules: [{ checker: "invariant", name: "x" }] }],
  ],
  [
    "SERVICE_FAILED",
    'no derived mutant "x"',
    [{ ...oneTicket, protections: [{ name: "", description: "", without: ["x"] }] }],
  ],
])("a promise has to name existing pairs, rules and changes: %s, %s", async (code, message, promises) => {
  const error = await layersOfDefence(server, tickets({ promises }), layersOptions).catch(
    (it) => it,
  );
  expect(error).toBeInstanceOf(HarnessError);
  expect(error).toMatchObject({ code });
  expect(error.message).toContain(message);
});

test("a score requires a service that passes", async () => {
  const failing = tickets({ codes: { take: ["OK"] } });
  await expect(mutationScore(server, failing, scoreOptions)).rejects.toMatchObject({
    code: "SERVICE_FAILED",
    message: expect.stringContaining("TAKEN"),
  });
});

test.each([
  derivedName("drop-index tickets_twice"),
  "no double selling without the guard",
  "no other promise without the lock",
])("there is no mutant %s", async (mutant) => {
  const service = tickets({ promises: [oneTicket] });
  await expect(mutantNamed(server, service, mutant)).rejects.toMatchObject({ code: "USAGE" });
});
