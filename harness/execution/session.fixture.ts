import type { Session } from "../gates/session.ts";

/** As much of a session as lanes look at. */
export function fakeSession(pid: number): Session & { transaction: Session["transaction"] } {
  const fake: Pick<Session, "pid" | "transaction" | "owner"> = {
    pid,
    transaction: "idle",
    owner: {},
  };
  return fake as Session;
}
