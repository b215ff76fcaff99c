import { Client } from "pg";
import { GateLocks, gatePlace } from "./gate-locks.ts";

interface Notice {
  readonly code?: string | undefined;
  readonly severity?: string | undefined;
  readonly message?: string | undefined;
}

/** The fields of a notice from `pg`, by their codes, as the proxy reads them. */
function fieldsOf({ code, severity, message }: Notice): Map<string, string> {
  return new Map([
    ["C", code ?? ""],
    ["V", severity ?? ""],
    ["M", message ?? ""],
  ]);
}

/** A session with enabled gates that the test opens one by one, or that open automatically. */
export class GatedClient {
  readonly client: Client;
  readonly locks: GateLocks;
  readonly pid: number;
  /** The places that it has reached, in order. */
  readonly places: number[] = [];
  /** All notices except those of gates. */
  readonly notices: string[] = [];
  /** Whether each gate is opened as soon as the session reaches it. */
  automatic = true;
  readonly #control: Client;
  #waiting: { readonly place: number; readonly parity: 0 | 1 } | undefined;
  #wake: (() => void) | undefined;
  #lastOpen: Promise<void> = Promise.resolve();

  private constructor(client: Client, control: Client, pid: number) {
    this.client = client;
    this.#control = control;
    this.locks = new GateLocks(control);
    this.pid = pid;
    client.on("notice", (notice) => {
      const at = gatePlace(fieldsOf(notice));
      if (at === undefined) {
        this.notices.push(`${notice.severity} ${notice.code} ${notice.message} ${notice.where}`);
        return;
      }
      this.places.push(at.place);
      this.#waiting = at;
      if (this.automatic) this.#lastOpen = this.go();
      this.#wake?.();
    });
  }

  static async open(url: string): Promise<GatedClient> {
    const [client, control] = [new Client(url), new Client(url)];
    for (const it of [client, control]) it.on("error", () => {});
    await Promise.all([client.connect(), control.connect()]);
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    return new GatedClient(client, control, rows[0]?.pid ?? 0);
  }

  /** The first value of the last result. Resolves when no gate is being opened any more. */
  async ask(sql: string): Promise<unknown> {
    this.#waiting = undefined;
    try {
      const last = [await this.client.query<{ [column: string]: unknown }>(sql)].flat().at(-1);
      return Object.values(last?.rows[0] ?? {})[0];
    } finally {
      await this.#lastOpen;
    }
  }

  /** The SQLSTATE of the error, or undefined if there is none. */
  fails(sql: string): Promise<string | undefined> {
    return this.ask(sql).then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
  }

  /** Resolves with the place once the session waits at a gate. */
  async reached(): Promise<number> {
    while (this.#waiting === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.place;
  }

  /** Opens the gate at which the session waits. */
  async go(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting === undefined) throw new Error("the session does not wait at a gate");
    this.#waiting = undefined;
    await this.locks.open(this.pid, waiting.parity);
  }

  async end(): Promise<void> {
    await this.#lastOpen;
    await this.client.end();
    await this.#control.end();
  }
}
