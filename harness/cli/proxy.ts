import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { HarnessError } from "../core/error.ts";
import { RemoteControl } from "../proxy/remote-control.ts";
import { WireProxy } from "../proxy/wire-proxy.ts";
import { EXIT, interruption } from "./exit.ts";
import { print } from "./output.ts";

interface Options {
  readonly databaseUrl: string;
  readonly control: string;
}

/** `heddle proxy`: the wire proxy alone, for a controller in another process. */
export function addProxy(command: Command, finished: (exitCode: number) => void): void {
  command
    .requiredOption("--database-url <url>", "the database behind the proxy")
    .option("--control <where>", "the controller's port (0: any), or the path of a socket", "0")
    .action(async (options: Options) => finished(await runCommand(options)));
}

async function runCommand({ databaseUrl, control }: Options): Promise<number> {
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
    const address = /^\d+$/.test(control) ? Number(control) : control;
    const remote = await RemoteControl.listen(proxy, address).catch(async (cause: unknown) => {
      await proxy.stop();
      throw new HarnessError(
        "USAGE",
        `the proxy cannot listen on ${control}: give another --control`,
        {
          cause,
        },
      );
    });
    print(`database ${await proxy.urlFor()}\ncontrol ${remote.address}\n`);
    await stopped;
    await remote.stop();
    await proxy.stop();
    return EXIT.pass;
  } finally {
    interrupted.end();
    await rm(folder, { recursive: true, force: true });
  }
}
