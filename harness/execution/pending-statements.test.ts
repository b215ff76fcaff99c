import { describe, expect, test } from "vitest";
import { choiceOf, PendingStatements } from "./pending-statements.ts";
import { fakeSession } from "./session.fixture.ts";

const statement = { sql: "select 1", values: [] };
const everybody = () => true;
const nobody = () => false;
const BACKGROUND_CLIENT = -1;

const names = (pending: PendingStatements) => pending.all().map(({ task }) => task);

describe("a statement that arrives", () => {
  test("belongs to the client that is running", () => {
    const pending = new PendingStatements();
    const session = fakeSession(1);
    pending.arrive(session, statement, 2, everybody);
    expect(pending.on(session)).toMatchObject({ task: "2", stage: "held", statement });
  });

  test("belongs to whoever runs next, once the connection is back in the pool", () => {
    const pending = new PendingStatements();
    const session = fakeSession(1);
    pending.arrive(session, statement, 0, everybody);
    pending.land(session);
    pending.arrive(session, statement, 1, everybody);
    expect(names(pending)).toEqual(["1"]);
  });

  test("belongs to the background when nobody is running", () => {
    const pending = new PendingStatements();
    pending.arrive(fakeSession(1), statement, BACKGROUND_CLIENT, everybody);
    pending.arrive(fakeSession(2), statement, BACKGROUND_CLIENT, everybody);
    expect(names(pending)).toEqual(["bg", "bg.1"]);
  });

  test.each([
    "open",
    "failed",
  ] as const)("goes on with the %s transaction of another client whose operation is under way", (transaction) => {
    const pending = new PendingStatements();
    const session = fakeSession(1);
    pending.arrive(session, statement, 0, everybody);
    pending.land(session);
    session.transaction = transaction;
    pending.arrive(session, statement, 1, everybody);
    expect(names(pending)).toEqual(["0"]);
  });

  test("does not go on with a transaction whose owner's operation has ended", () => {
    const pending = new PendingStatements();
    const session = fakeSession(1);
    pending.arrive(session, statement, 0, everybody);
    pending.land(session);
    session.transaction = "open";
    pending.arrive(session, statement, 1, nobody);
    expect(names(pending)).toEqual(["1"]);
  });

  test("has a task of its own when its client has others under way", () => {
    const pending = new PendingStatements();
    const [a, b, c] = [fakeSession(1), fakeSession(2), fakeSession(3)];
    for (const session of [a, b, c]) pending.arrive(session, statement, 1, everybody);
    expect(names(pending)).toEqual(["1", "1.1", "1.2"]);
    pending.land(b);
    pending.arrive(fakeSession(4), statement, 1, everybody);
    expect(pending.on(c)?.task).toBe("1.2");
    expect(names(pending)).toEqual(["1", "1.1", "1.2"]);
  });
});

describe("tasks", () => {
  test("are listed by client, then by connection; the background last", () => {
    const pending = new PendingStatements();
    const clients = [BACKGROUND_CLIENT, 10, 2, 0, 2];
    clients.forEach((client, index) => {
      pending.arrive(fakeSession(index + 1), statement, client, everybody);
    });
    expect(names(pending)).toEqual(["0", "2", "2.1", "10", "bg"]);
    expect(pending.of(2).map(({ task }) => task)).toEqual(["2", "2.1"]);
    expect(pending.of(1)).toEqual([]);
  });

  test("list the second statement of a client before its eleventh", () => {
    const pending = new PendingStatements();
    for (let pid = 1; pid <= 12; pid++) pending.arrive(fakeSession(pid), statement, 0, everybody);
    expect(names(pending).slice(0, 3)).toEqual(["0", "0.1", "0.2"]);
    expect(names(pending).at(-1)).toBe("0.11");
  });

  test("tell which are in the database, and what each can do", () => {
    const pending = new PendingStatements();
    const session = fakeSession(1);
    pending.arrive(session, statement, 0, everybody);
    const flight = pending.on(session);
    if (flight === undefined) throw new Error("no flight");
    expect(choiceOf(flight)).toEqual({ task: "0", action: "release" });
    flight.stage = "database";
    expect(choiceOf(flight)).toBeUndefined();
    expect(pending.inDatabase()).toEqual([flight]);
    flight.stage = "answered";
    expect(choiceOf(flight)).toEqual({ task: "0", action: "deliver" });
    expect(pending.inDatabase()).toEqual([]);
  });

  test("name a session between two statements after who used it last", () => {
    const pending = new PendingStatements();
    const session = fakeSession(1);
    expect(pending.nameOf(session)).toBe("bg");
    pending.arrive(session, statement, 3, everybody);
    pending.land(session);
    expect(pending.on(session)).toBeUndefined();
    expect(pending.nameOf(session)).toBe("3");
  });
});
