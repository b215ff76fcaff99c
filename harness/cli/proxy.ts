import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { HarnessError } from "../core/error.ts";
import { withClient } from "../postgres/connection.ts";
import { RemoteControl } from "../proxy/remote-control.ts";
import { WireProxy } from "../proxy/wire-proxy.ts";
import { withoutPasswords } from "../reporters/format-values.ts";
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
    .addHelpText(
      "after",
      "\nPrints the database's URL, the address for the controller, and the token that it sends first.",
    )
    .action(async (options: Options) => finished(await runCommand(options)));
}

async function runCommand({ databaseUrl, control }: Options): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "hx-"));
  const interrupted = interruption("closing the connections");
  const stopped = new Promise<void>((resolve) => {
    interrupted.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) {
      throw new HarnessError(
        "USAGE",
        `--database-url is no connection string, such as postgres://user@host:5432/database: ${withoutPasswords(databaseUrl)}`,
      );
    }
    const proxy = await WireProxy.start(databaseUrl, folder);
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
    await warnOfSuperuser(databaseUrl);
    const lines = [
      `database ${await proxy.urlFor()}`,
      `control ${remote.address}`,
      `token ${remote.token}`,
    ];
    print(`${lines.join("\n")}\n`);
    await stopped;
    await remote.stop();
    await proxy.stop();
    return EXIT.pass;
  } finally {
    interrupted.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The proxy gives its clients the role of the URL. A server that is not there yet is no error. */
async function warnOfSuperuser(url: string): Promise<void> {
  const QUERY = "select rolsuper from pg_roles where rolname = current_user";
  const role = await withClient(url, async (client) => (await client.query(QUERY)).rows[0]).catch(
    () => undefined,
  );
  if (role?.rolsuper !== true) return;
  process.stderr.write(
    "the role of --database-url is a superuser: a program that knows the URL below can run programs as " +
      "the server's account; give the URL of another role\n",
  );
}
