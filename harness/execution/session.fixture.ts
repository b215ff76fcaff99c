import type { ProxySession } from "../proxy/session.ts";

/** As much of a session as tasks look at. */
export function fakeSession(
  pid: number,
): ProxySession & { transaction: ProxySession["transaction"]; isolates: boolean } {
  const fake: Pick<ProxySession, "pid" | "transaction" | "isolates" | "origin"> = {
    pid,
    transaction: "idle",
    isolates: false,
    origin: {},
  };
  return fake as ProxySession;
}
