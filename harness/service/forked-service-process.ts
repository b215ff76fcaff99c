import { fileURLToPath } from "node:url";
import type { ForkReply, ForkRequest } from "./forked-service.ts";
import { importModule } from "./import-module.ts";
import type { ServiceDefinition } from "./service-definition.ts";
import type { ServiceStart, StartedService } from "./service-start.ts";

/*
 * The entry point of the process in which the service of a definition can be killed. The process ends when
 * its parent does.
 */

let loaded: Promise<unknown> | undefined;
let running: StartedService | undefined;

process.on("disconnect", () => process.exit());
// A terminal sends these signals to every process. The parent handles them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

process.on("message", (message: ForkRequest) => {
  if (message !== "warm" && "load" in message) {
    loaded = importModule(fileURLToPath(message.load), message.load);
    // The reply to `start` has the reason.
    loaded.catch(() => {});
    return;
  }
  answer(message).then(
    ({ url, warm }) => reply({ url, warms: warm !== undefined }),
    (error: unknown) => reply({ failed: String(error) }),
  );
});

async function answer(message: Exclude<ForkRequest, { readonly load: string }>) {
  if (message === "warm") await running?.warm?.();
  else running = await started(message.start);
  if (running === undefined) throw new Error("the service was not started");
  return running;
}

async function started(start: ServiceStart): Promise<StartedService> {
  const module = (await loaded) as { readonly default?: ServiceDefinition } | undefined;
  const service = module?.default?.service;
  if (typeof service === "function") return service(start);
  throw new Error("the default export of the definition's file has no function `service`");
}

function reply(message: ForkReply): void {
  process.send?.(message);
}
