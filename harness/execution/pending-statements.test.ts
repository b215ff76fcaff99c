import { describe, expect, test } from "vitest";
import { drive, FakeSession, SELECT } from "../proxy/pending-statement.fixture.ts";
import type { StatementState } from "../proxy/pending-statement.ts";
import { PendingStatements } from "./pending-statements.ts";

const BACKGROUND_CLIENT = -1;

/** The statements of an execution in which the operations of these clients are under way. */
function withActive(
  isActive: (client: number) => boolean,
  owners = new Map<number, number>(),
  hasSessions = (_: number) => false,
) {
  return new PendingStatements({ isActive, ownerOf: (pid) => owners.get(pid), hasSessions });
}

const all = () => withActive(() => true);

const tasks = (statements: PendingStatements) => statements.all().map(({ task }) => task);

/** A statement of the session arrives while `running` is in the service. */
function arrive(statements: PendingStatements, session: FakeSession, running: number) {
  const pending = session.hold();
  statements.add(pending, running);
  return pending;
}

describe("a statement that arrives", () => {
  test("belongs to the client that is running", () => {
    const statements = all();
    const session = new FakeSession(1);
    const pending = arrive(statements, session, 2);
    expect(pending.task).toBe("2");
    expect(statements.on(session)).toBe(pending);
    expect(statements.find("2")).toBe(pending);
    expect(pending).toMatchObject({ statement: SELECT, state: { at: "held" } });
  });

  test("belongs to the client that runs next, once the connection is back in the pool", () => {
    const statements = all();
    const session = new FakeSession(1);
    arrive(statements, session, 0);
    statements.remove(session);
    arrive(statements, session, 1);
    expect(tasks(statements)).toEqual(["1"]);
  });

  test("belongs to the client whose request uses the connection, whichever client is running", () => {
    const statements = withActive(() => true, new Map([[1, 3]]));
    arrive(statements, new FakeSession(1), 0);
    arrive(statements, new FakeSession(2), 0);
    expect(tasks(statements)).toEqual(["0", "3"]);
  });

  test("on the session of a client that is done belongs to the running client, if that has no session", () => {
    const session = new FakeSession(1, { client: 0 });
    const sharing = withActive((client) => client === 1);
    arrive(sharing, session, 1);
    expect(tasks(sharing)).toEqual(["1"]);
    expect(session.origin.shared).toBe(true);
    const apart = withActive(
      (client) => client === 1,
      new Map(),
      (client) => client === 1,
    );
    const own = new FakeSession(1, { client: 0 });
    arrive(apart, own, 1);
    expect(tasks(apart)).toEqual(["0"]);
    expect(own.origin.shared).toBeUndefined();
  });

  test("on the session of a client that waits outside the database belongs to that client", () => {
    const statements = all();
    arrive(statements, new FakeSession(1, { client: 0 }), 1);
    expect(tasks(statements)).toEqual(["0"]);
    arrive(statements, new FakeSession(2, { client: 0 }), 1);
    expect(tasks(statements)).toEqual(["0", "1"]);
  });

  test("belongs to the background when no client is running", () => {
    const statements = all();
    arrive(statements, new FakeSession(1), BACKGROUND_CLIENT);
    arrive(statements, new FakeSession(2), BACKGROUND_CLIENT);
    expect(tasks(statements)).toEqual(["bg", "bg.1"]);
  });

  test.each([
    "open",
    "failed",
  ] as const)("continues the %s transaction of a client whose operation is under way", (transaction) => {
    const statements = all();
    const session = new FakeSession(1);
    arrive(statements, session, 0);
    statements.remove(session);
    session.transaction = transaction;
    arrive(statements, session, 1);
    expect(tasks(statements)).toEqual(["0"]);
  });

  test("does not continue the transaction of a client whose operation has ended", () => {
    const statements = withActive(() => false);
    const session = new FakeSession(1);
    arrive(statements, session, 0);
    statements.remove(session);
    session.transaction = "open";
    arrive(statements, session, 1);
    expect(tasks(statements)).toEqual(["1"]);
  });

  test("has a task of its own when its client has others under way", () => {
    const statements = all();
    const [a, b, c] = [new FakeSession(1), new FakeSession(2), new FakeSession(3)];
    for (const session of [a, b, c]) arrive(statements, session, 1);
    expect(tasks(statements)).toEqual(["1", "1.1", "1.2"]);
    statements.remove(b);
    arrive(statements, new FakeSession(4), 1);
    expect(statements.on(c)?.task).toBe("1.2");
    expect(tasks(statements)).toEqual(["1", "1.1", "1.2"]);
  });

  test("is scheduled until it is removed, and no other statement of its session is", () => {
    const statements = all();
    const session = new FakeSession(1);
    const pending = arrive(statements, session, 0);
    expect(statements.has(pending)).toBe(true);
    expect(statements.has(session.hold())).toBe(false);
    statements.remove(session);
    expect(statements.has(pending)).toBe(false);
    expect(statements.on(session)).toBeUndefined();
  });
});

describe("tasks", () => {
  test("are listed by client, then by connection; the background last", () => {
    const statements = all();
    const clients = [BACKGROUND_CLIENT, 10, 2, 0, 2];
    clients.forEach((client, index) => {
      arrive(statements, new FakeSession(index + 1), client);
    });
    expect(tasks(statements)).toEqual(["0", "2", "2.1", "10", "bg"]);
    expect(statements.of(2).map(({ task }) => task)).toEqual(["2", "2.1"]);
    expect(statements.of(1)).toEqual([]);
  });

  test("list the second statement of a client before its eleventh", () => {
    const statements = all();
    for (let pid = 1; pid <= 12; pid++) arrive(statements, new FakeSession(pid), 0);
    expect(tasks(statements).slice(0, 3)).toEqual(["0", "0.1", "0.2"]);
    expect(tasks(statements).at(-1)).toBe("0.11");
  });

  test("are those of another client once it is reassigned", () => {
    const statements = all();
    const [a, b] = [new FakeSession(1), new FakeSession(2)];
    for (const session of [a, b]) arrive(statements, session, 0);
    statements.reassign(0, 5);
    expect(tasks(statements)).toEqual(["5", "5.1"]);
    statements.remove(a);
    expect(statements.taskOf(a)).toBe("5");
  });

  test.each<[StatementState["at"], string | undefined, boolean]>([
    ["held", "release", false],
    ["running", undefined, true],
    ["gate", "release", false],
    ["waiting", undefined, true],
    ["stopped", undefined, true],
    ["woken", "wake", false],
    ["answered", "deliver", false],
    ["lost", "deliver", false],
    ["complete", undefined, false],
  ])("have a choice and are executing by the state of their statement: %s", (state, action, executing) => {
    const statements = all();
    const session = new FakeSession(1);
    const pending = arrive(statements, session, 0);
    drive(pending, session, state);
    expect(statements.choices()).toEqual(action === undefined ? [] : [{ task: "0", action }]);
    expect(statements.executing()).toEqual(executing ? [pending] : []);
  });

  test("name a session between two statements after the client that used it last", () => {
    const statements = all();
    const session = new FakeSession(1);
    expect(statements.taskOf(session)).toBe("bg");
    arrive(statements, session, 3);
    statements.remove(session);
    expect(statements.taskOf(session)).toBe("3");
  });

  test("are waited for according to the last quiescence", () => {
    const statements = all();
    const pending = arrive(statements, new FakeSession(1), 0);
    expect(statements.waitsFor(pending)).toEqual([]);
    statements.setWaits(new Map([[pending, ["1"]]]));
    expect(statements.waitsFor(pending)).toEqual(["1"]);
    statements.setWaits(new Map());
    expect(statements.waitsFor(pending)).toEqual([]);
  });
});
