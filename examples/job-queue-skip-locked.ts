import { queue } from "./job-queue.ts";

/** With SKIP LOCKED each takes a job of its own, and nobody waits. */
export default queue(
  "select id from jobs where state = 'ready' order by id limit 1 for update skip locked",
);
