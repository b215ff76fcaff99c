import { describe, expect, test } from "vitest";
import { choiceOf, Lanes } from "./lanes.ts";
import { fakeSession } from "./session.fixture.ts";

const statement = { sql: "select 1", values: [] };
const everybody = () => true;
const nobody = () => false;
const BACKGROUND_CLIENT = -1;

const names = (lanes: Lanes) => lanes.all().map(({ lane }) => lane);

describe("a statement that arrives", () => {
  test("belongs to the client that is running", () => {
    const lanes = new Lanes();
    const session = fakeSession(1);
    lanes.arrive(session, statement, 2, everybody);
    expect(lanes.on(session)).toMatchObject({ lane: "2", stage: "held", statement });
  });

  test("belongs to whoever runs next, once the connection is back in the pool", () => {
    const lanes = new Lanes();
    const session = fakeSession(1);
    lanes.arrive(session, statement, 0, everybody);
    lanes.land(session);
    lanes.arrive(session, statement, 1, everybody);
    expect(names(lanes)).toEqual(["1"]);
  });

  test("belongs to the background when nobody is running", () => {
    const lanes = new Lanes();
    lanes.arrive(fakeSession(1), statement, BACKGROUND_CLIENT, everybody);
    lanes.arrive(fakeSession(2), statement, BACKGROUND_CLIENT, everybody);
    expect(names(lanes)).toEqual(["bg", "bg.1"]);
  });

  test.each([
    "open",
    "failed",
  ] as const)("goes on with the %s transaction of another client whose command is under way", (transaction) => {
    const lanes = new Lanes();
    const session = fakeSession(1);
    lanes.arrive(session, statement, 0, everybody);
    lanes.land(session);
    session.transaction = transaction;
    lanes.arrive(session, statement, 1, everybody);
    expect(names(lanes)).toEqual(["0"]);
  });

  test("does not go on with a transaction whose owner's command has ended", () => {
    const lanes = new Lanes();
    const session = fakeSession(1);
    lanes.arrive(session, statement, 0, everybody);
    lanes.land(session);
    session.transaction = "open";
    lanes.arrive(session, statement, 1, nobody);
    expect(names(lanes)).toEqual(["1"]);
  });

  test("has a lane of its own when its client has others under way", () => {
    const lanes = new Lanes();
    const [a, b, c] = [fakeSession(1), fakeSession(2), fakeSession(3)];
    for (const session of [a, b, c]) lanes.arrive(session, statement, 1, everybody);
    expect(names(lanes)).toEqual(["1", "1.1", "1.2"]);
    lanes.land(b);
    lanes.arrive(fakeSession(4), statement, 1, everybody);
    expect(lanes.on(c)?.lane).toBe("1.2");
    expect(names(lanes)).toEqual(["1", "1.1", "1.2"]);
  });
});

describe("lanes", () => {
  test("are listed by client, then by connection; the background last", () => {
    const lanes = new Lanes();
    const clients = [BACKGROUND_CLIENT, 10, 2, 0, 2];
    clients.forEach((client, index) => {
      lanes.arrive(fakeSession(index + 1), statement, client, everybody);
    });
    expect(names(lanes)).toEqual(["0", "2", "2.1", "10", "bg"]);
    expect(lanes.of(2).map(({ lane }) => lane)).toEqual(["2", "2.1"]);
    expect(lanes.of(1)).toEqual([]);
  });

  test("list the second statement of a client before its eleventh", () => {
    const lanes = new Lanes();
    for (let pid = 1; pid <= 12; pid++) lanes.arrive(fakeSession(pid), statement, 0, everybody);
    expect(names(lanes).slice(0, 3)).toEqual(["0", "0.1", "0.2"]);
    expect(names(lanes).at(-1)).toBe("0.11");
  });

  test("tell which are in the database, and what each can do", () => {
    const lanes = new Lanes();
    const session = fakeSession(1);
    lanes.arrive(session, statement, 0, everybody);
    const flight = lanes.on(session);
    if (flight === undefined) throw new Error("no flight");
    expect(choiceOf(flight)).toEqual({ lane: "0", action: "release" });
    flight.stage = "database";
    expect(choiceOf(flight)).toBeUndefined();
    expect(lanes.inDatabase()).toEqual([flight]);
    flight.stage = "answered";
    expect(choiceOf(flight)).toEqual({ lane: "0", action: "deliver" });
    expect(lanes.inDatabase()).toEqual([]);
  });

  test("name a session between two statements after who used it last", () => {
    const lanes = new Lanes();
    const session = fakeSession(1);
    expect(lanes.nameOf(session)).toBe("bg");
    lanes.arrive(session, statement, 3, everybody);
    lanes.land(session);
    expect(lanes.on(session)).toBeUndefined();
    expect(lanes.nameOf(session)).toBe("3");
  });
});
