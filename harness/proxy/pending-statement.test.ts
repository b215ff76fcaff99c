import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { drive, FakeSession, RESULT, STATES } from "./pending-statement.fixture.ts";
import {
  PendingStatement,
  type StatementState,
  TRANSITIONS,
  type Transition,
} from "./pending-statement.ts";

type StateName = StatementState["at"];

const NAMES = Object.keys(TRANSITIONS) as readonly Transition[];
const GATE_PLACE = 2;

/** Takes each transition. */
const TAKE: {
  readonly [name in Transition]: (pending: PendingStatement, session: FakeSession) => void;
} = {
  release: (pending) => pending.release(),
  reachGate: (pending, session) => pending.reachGate(session.gate(GATE_PLACE)),
  waitForLock: (pending) => pending.waitForLock(),
  acquireLock: (pending) => pending.acquireLock(),
  stop: (pending, session) => pending.stop(session.signals),
  wake: (pending) => pending.wake(),
  resume: (pending) => pending.resume(),
  answer: (pending) => pending.answer(RESULT),
  deliver: (pending) => pending.deliver(),
  cancel: (pending) => pending.cancel(),
  loseResponse: (pending) => pending.loseResponse("cut-after"),
  crash: (pending) => pending.crash(),
  disconnect: (pending) => pending.disconnect(),
};

function targets(transition: Transition, from: StateName): readonly StateName[] {
  const table: { readonly [from in StateName]?: readonly StateName[] } = TRANSITIONS[transition];
  return table[from] ?? [];
}

function at(state: StateName) {
  const session = new FakeSession(4711);
  const pending = session.hold();
  drive(pending, session, state);
  return { session, pending };
}

/** A statement in a state from which its response will be lost. */
function marked(state: "running" | "gate" | "waiting" | "stopped" | "woken") {
  const session = new FakeSession(4711);
  const pending = session.hold();
  pending.loseResponse("kill-after");
  drive(pending, session, state);
  return { session, pending };
}

const pairs = NAMES.flatMap((transition) => STATES.map((state) => ({ transition, state })));
const allowed = pairs.filter(({ transition, state }) => targets(transition, state).length > 0);
const forbidden = pairs.filter(({ transition, state }) => targets(transition, state).length === 0);

describe("a transition", () => {
  test.each(allowed)("$transition can be taken from $state", ({ transition, state }) => {
    const { pending, session } = at(state);
    expect(pending.state.at).toBe(state);
    TAKE[transition](pending, session);
    expect(pending.state.at).toBe(targets(transition, state)[0]);
  });

  test.each(forbidden)("$transition cannot be taken from $state", ({ transition, state }) => {
    const { pending, session } = at(state);
    const before = pending.state;
    expect(() => TAKE[transition](pending, session)).toThrow(
      `${transition} is no transition of a statement that is ${state}`,
    );
    expect(pending.state).toBe(before);
    expect(session.calls).toEqual([]);
  });

  test("leads to each state that the table names", () => {
    for (const state of ["running", "gate", "waiting", "stopped", "woken"] as const) {
      const { pending } = marked(state);
      pending.answer(RESULT);
      expect(pending.state).toEqual({ at: "lost", by: "kill-after", result: RESULT });
      expect(targets("answer", state)).toEqual(["answered", "lost"]);
    }
    const { pending: acquired } = at("stopped");
    acquired.acquireLock();
    acquired.resume();
    expect(["waiting", acquired.state.at]).toEqual(targets("resume", "stopped"));
    const several = allowed.filter(
      ({ transition, state }) => targets(transition, state).length > 1,
    );
    expect(new Set(several.map(({ transition }) => transition))).toEqual(
      new Set(["resume", "answer"]),
    );
  });
});

describe("a statement", () => {
  test("is sent once it is released, and its gate is opened", () => {
    const { pending, session } = at("held");
    pending.release();
    expect(session.calls).toEqual(["forward"]);
    pending.reachGate(session.gate(GATE_PLACE));
    pending.release();
    expect(session.calls).toEqual(["forward", `open ${GATE_PLACE}`]);
  });

  test("gives the service its response once it is delivered", () => {
    const { pending, session } = at("answered");
    pending.deliver();
    expect(session.calls).toEqual(["reply"]);
  });

  test("whose response is lost cuts the connection instead", () => {
    const { pending, session } = at("lost");
    pending.deliver();
    expect(session.calls).toEqual(["cut"]);
  });

  test("loses a response that is there, and keeps its result for the trace", () => {
    const { pending } = at("answered");
    pending.loseResponse("kill-after");
    expect(pending.state).toEqual({ at: "lost", by: "kill-after", result: RESULT });
  });

  test("cannot lose its response twice", () => {
    for (const state of ["held", "gate"] as const) {
      const { pending, session } = at("held");
      pending.loseResponse("cut-after");
      if (state === "gate") drive(pending, session, "gate");
      expect(() => pending.loseResponse("kill-after")).toThrow(
        "the response to a statement is lost twice: cut-after and kill-after",
      );
    }
  });

  test("continues from a gate when it is cancelled, and the gate stays closed", () => {
    const { pending, session } = at("gate");
    pending.cancel();
    expect(pending.state.at).toBe("running");
    expect(session.calls).toEqual([]);
  });

  test("keeps its mark through every state inside the server", () => {
    for (const state of ["running", "gate", "waiting", "stopped", "woken"] as const) {
      expect(marked(state).pending.state).toMatchObject({ at: state, lostBy: "kill-after" });
    }
  });

  test("has no result when the server crashed before it answered", () => {
    const { pending } = at("waiting");
    pending.crash();
    expect(pending.state).toEqual({ at: "lost", by: "crash", result: undefined });
    const answered = at("answered").pending;
    answered.crash();
    expect(answered.state).toEqual({ at: "lost", by: "crash", result: RESULT });
  });

  test("is in the server from its release to its answer", () => {
    const inServer = STATES.filter((state) => at(state).pending.isInServer);
    expect(inServer).toEqual(["running", "gate", "waiting", "stopped", "woken"]);
  });

  test("is the background's until it is assigned to a task", () => {
    const { pending } = at("held");
    expect(pending.task).toBe("bg");
    pending.assignTo("0.1");
    expect(pending.task).toBe("0.1");
  });

  test("is answered from the beginning if it is a notification", () => {
    const session = new FakeSession(1);
    const replies: string[] = [];
    const pending = PendingStatement.notification(session, () => replies.push("reply"));
    expect(pending.state).toMatchObject({ at: "answered", result: { tags: ["NOTIFICATION"] } });
    pending.deliver();
    expect(replies).toEqual(["reply"]);
  });
});

describe("a backend", () => {
  test("is stopped once, and resumed once, while its statement still waits", () => {
    const { pending, session } = at("waiting");
    pending.stop(session.signals);
    expect(session.calls).toEqual(["stop 4711"]);
    pending.resume();
    expect(session.calls).toEqual(["stop 4711", "resume 4711"]);
  });

  test("continues when it is resumed, if it had got its lock before it was stopped", () => {
    const { pending, session } = at("stopped");
    pending.acquireLock();
    expect(session.calls).toEqual([]);
    pending.resume();
    expect(session.calls).toEqual(["resume 4711"]);
    expect(pending.state.at).toBe("running");
  });

  test("stays stopped while its statement is woken", () => {
    const { pending, session } = at("stopped");
    pending.wake();
    expect(session.calls).toEqual([]);
    pending.resume();
    expect(session.calls).toEqual(["resume 4711"]);
  });

  test.each([
    "reachGate",
    "answer",
    "disconnect",
  ] as const)("is resumed by whatever else ends its stop: %s", (transition) => {
    for (const state of ["stopped", "woken"] as const) {
      const { pending, session } = at(state);
      TAKE[transition](pending, session);
      expect(session.calls).toEqual(["resume 4711"]);
    }
  });

  test("is not signalled after a crash: its process id may belong to another process", () => {
    const { pending, session } = at("stopped");
    pending.crash();
    pending.disconnect();
    expect(session.calls).toEqual([]);
  });
});

describe("docs/design/statement.md", () => {
  const document = new URL("../../docs/design/statement.md", import.meta.url);

  test("shows exactly the transitions of the code", async () => {
    const text = await readFile(document, "utf8");
    const diagram = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
    const shown = diagram
      .split("\n")
      .map((line) => /^\s*(\w+) --> (\w+): (.*)$/.exec(line))
      .flatMap((match) => {
        const [, from = "", to = "", labels = ""] = match ?? [];
        return labels === "" ? [] : labels.split(", ").map((label) => `${from} ${label} ${to}`);
      });
    const code = allowed.flatMap(({ transition, state }) =>
      targets(transition, state).map((to) => `${state} ${transition} ${to}`),
    );
    expect(shown.toSorted()).toEqual(code.toSorted());
  });

  test("describes each state and each transition", async () => {
    const text = await readFile(document, "utf8");
    const described = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(described.toSorted()).toEqual([...STATES, ...NAMES].toSorted());
  });
});
