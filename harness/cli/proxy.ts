import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HarnessError } from "../core/error.ts";
import { RemoteControl } from "../proxy/remote-control.ts";
import { WireProxy } from "../proxy/wire-proxy.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";

export interface ProxyOptions {
  readonly databaseUrl: string;
  readonly control: string;
}

/** `heddle proxy`: the statement gate by itself, for a controller in another process. */
export async function proxyCommand({ databaseUrl, control }: ProxyOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "hx-"));
  const interrupted = interruption();
  const stopped = new Promise<void>((resolve) => {
    interrupted.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    const proxy = await WireProxy.start(databaseUrl, folder).catch((cause: unknown) => {
      throw new HarnessError("USAGE", `${databaseUrl} is no connection string: ${String(cause)}`, {
        cause,
      });
    });
    const where = /^\d+$/.test(control) ? Number(control) : control;
    const remote = await RemoteControl.listen(proxy, where).catch(async (cause: unknown) => {
      await proxy.stop();
      throw new HarnessError("USAGE", `${control} cannot be listened on: give another --control`, {
        cause,
      });
    });
    process.stdout.write(`database ${await proxy.urlFor()}\ncontrol ${remote.address}\n`);
    await stopped;
    await remote.stop();
    await proxy.stop();
    return EXIT.pass;
  } finally {
    interrupted.end();
    await rm(folder, { recursive: true, force: true });
  }
}
