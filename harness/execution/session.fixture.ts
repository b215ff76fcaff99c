import type { Session } from "../gates/session.ts";

/** As much of a session as lanes look at. */
export function fakeSession(
  pid: number,
): Session & { transaction: Session["transaction"]; isolates: boolean } {
  const fake: Pick<Session, "pid" | "transaction" | "isolates" | "owner"> = {
    pid,
    transaction: "idle",
    isolates: false,
    owner: {},
  };
  return fake as Session;
}
