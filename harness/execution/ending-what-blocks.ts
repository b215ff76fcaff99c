import type { GatedDatabase } from "./gated-database.ts";
import { atMost } from "./wait-limits.ts";

/** How long a reset may wait before the sessions that it waits for are ended, in ms. */
const RESET_WAITS_MS = 200;

/** Waits for a reset, and ends each session that still holds what the reset waits for. */
export async function endingWhatBlocks(
  reset: Promise<void>,
  { proxy, lockWaits }: Pick<GatedDatabase, "proxy" | "lockWaits">,
): Promise<void> {
  let over = false;
  const end = () => {
    over = true;
  };
  const ended = reset.then(end, end);
  for (await atMost(RESET_WAITS_MS, ended); !over; await atMost(RESET_WAITS_MS, ended)) {
    const blocking = await lockWaits.blocking();
    const sessions = [...proxy.sessions].filter(({ pid }) => blocking.includes(pid));
    for (const session of sessions) session.close();
    await lockWaits.terminate(sessions.map(({ pid }) => pid));
  }
  await reset;
}
