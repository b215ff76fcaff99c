import { mutantNamed } from "./mutants/index.ts";
import { type RunningBooking, startService } from "./service.ts";
import type { ServiceReply, ServiceRequest } from "./service-apart.ts";

/*
 * The entry point of the process in which the booking service can be killed. The process ends when its
 * parent does.
 */

let service: RunningBooking | undefined;

process.on("disconnect", () => process.exit());
// A terminal sends these signals to every process. The parent handles them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

process.on("message", (message: ServiceRequest) => {
  const work = message === "warm" ? service?.warm() : start(message);
  Promise.resolve(work).then(
    () => reply("ready"),
    (error: unknown) => reply({ failed: String(error) }),
  );
});

async function start({ options, mutant }: Exclude<ServiceRequest, string>): Promise<void> {
  service = await startService(options, mutant === undefined ? undefined : mutantNamed(mutant));
}

function reply(message: ServiceReply): void {
  process.send?.(message);
}
