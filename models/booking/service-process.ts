import { mutantNamed } from "./mutants/index.ts";
import { type RunningBooking, startService } from "./service.ts";
import type { ServiceReply, ServiceRequest } from "./service-apart.ts";

/*
 * The booking service as a process of its own, which can be killed. It ends when whoever started it is
 * gone.
 */

let service: RunningBooking | undefined;

process.on("disconnect", () => process.exit());
// They reach all processes of a terminal; whoever started this one answers them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

process.on("message", (message: ServiceRequest) => {
  const work = message === "warm" ? service?.warm() : start(message);
  Promise.resolve(work).then(
    () => tell("ready"),
    (error: unknown) => tell({ failed: String(error) }),
  );
});

async function start({ options, mutant }: Exclude<ServiceRequest, string>): Promise<void> {
  service = await startService(options, mutant === undefined ? undefined : mutantNamed(mutant));
}

function tell(message: ServiceReply): void {
  process.send?.(message);
}
