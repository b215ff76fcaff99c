import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type DefinedScenario,
  type Response,
  type Server,
  startServer,
} from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { startUngated, type UngatedBooking } from "./booking.fixture.ts";
import { pairs } from "./pairs.ts";

let server: Server;
let service: UngatedBooking;

beforeAll(async () => {
  server = await startServer(testPostgres);
  service = await startUngated(server);
});

afterAll(async () => {
  await service.stop();
  await server.stop();
});

/** Runs these clients one after the other. Returns each one's last response, and the final contents. */
async function inTurn({ initial, clients }: DefinedScenario, order: readonly number[]) {
  await service.system.reset(initial);
  const responses: (Response | undefined)[] = [];
  for (const client of order) {
    for (const operation of clients[client] ?? []) {
      responses[client] = await service.system.perform(operation, client);
    }
  }
  return { responses, contents: await service.system.contents?.() };
}

const all = Object.entries(pairs()).map(([name, scenario]) => ({ name, scenario }));
const everyTwo = all.filter(({ name }) => !name.includes(","));
const further = all.filter(({ name }) => name.includes(","));

test.each(everyTwo)("either operation succeeds alone: $name", async ({ scenario }) => {
  for (const client of [0, 1]) {
    const { responses } = await inTurn(scenario, [client]);
    expect(responses[client]).toMatchObject({ outcome: "ok" });
  }
});

describe("the order makes a difference, unless only locks or connections conflict", () => {
  const same = [
    "webhook × elapse, of a slot that gets free too late",
    "publish × publish, of a new slot",
    "reschedule × reschedule, crossing",
    "cancel × webhook, of a paid booking",
    "cancel × cancel, of two bookings over HTTP",
  ];

  test.each(further)("$name", async ({ name, scenario }) => {
    const [one, other] = [await inTurn(scenario, [0, 1]), await inTurn(scenario, [1, 0])];
    if (same.includes(name)) expect(one).toEqual(other);
    else expect(one).not.toEqual(other);
  });
});

describe("the contents", () => {
  const named = (name: string): DefinedScenario => {
    const pair = all.find((other) => other.name === name);
    if (pair === undefined) throw new Error(`no pair ${name}`);
    return pair.scenario;
  };

  test("are the same for the same operations at another time", async () => {
    const once = () => inTurn(named("create-http × expire"), [1, 0]);
    expect(await once()).toEqual(await once());
  });
});
