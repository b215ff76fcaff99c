import { queue } from "./job-queue.ts";

/** With SKIP LOCKED, each worker takes another job, and neither waits. */
export default queue(
  "select id from jobs where state = 'ready' order by id limit 1 for update skip locked",
);
