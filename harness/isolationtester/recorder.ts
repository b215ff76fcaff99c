import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Statement } from "../core/trace.ts";
import type { Server } from "../postgres/provider.ts";
import { WireProxy } from "../proxy/wire-proxy.ts";

/** Writes down every statement that is sent to a database by way of it. */
export class StatementRecorder {
  readonly url: string;
  readonly #proxy: WireProxy;
  readonly #folder: string;
  #statements: Statement[] = [];

  private constructor(proxy: WireProxy, folder: string) {
    this.url = proxy.url;
    this.#proxy = proxy;
    this.#folder = folder;
    proxy.observer = {
      arrived: (pending) => {
        this.#statements.push(pending.statement);
        pending.release();
      },
      reachedGate: (pending) => pending.release(),
      answered: (pending) => pending.deliver(),
      notified: (pending) => pending.deliver(),
      lockWait: () => {},
      closed: () => {},
      settled: () => {},
      // The session is ended with the reason, which its driver throws.
      failed: () => {},
    };
  }

  static async open(server: Server, databaseUrl: string): Promise<StatementRecorder> {
    const folder = await mkdtemp(join(server.folder, "r"));
    return new StatementRecorder(await WireProxy.start(databaseUrl, folder), folder);
  }

  /** What was sent since it was last asked, in order. */
  take(): Statement[] {
    return this.#statements.splice(0);
  }

  async close(): Promise<void> {
    await this.#proxy.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
