import { Client } from "pg";
import { GateLocks, gatePlace } from "./gate-locks.ts";

interface Notice {
  readonly code?: string | undefined;
  readonly severity?: string | undefined;
  readonly message?: string | undefined;
}

/** What `pg` makes of a NoticeResponse, in the form in which the proxy reads it. */
function fieldsOf({ code, severity, message }: Notice): Map<string, string> {
  return new Map([
    ["C", code ?? ""],
    ["V", severity ?? ""],
    ["M", message ?? ""],
  ]);
}

/** A session that stands at gates, and whose gates are opened by hand or as they come. */
export class GatedClient {
  readonly client: Client;
  readonly locks: GateLocks;
  readonly pid: number;
  /** Places at which it stood, in order. */
  readonly places: number[] = [];
  /** All that it was told but where it stands. */
  readonly notices: string[] = [];
  /** Opens each gate as it comes. */
  automatic = true;
  readonly #control: Client;
  #standing: { readonly place: number; readonly turn: 0 | 1 } | undefined;
  #wake: (() => void) | undefined;
  #opening: Promise<void> = Promise.resolve();

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
      this.#standing = at;
      if (this.automatic) this.#opening = this.go();
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

  /** One value; when it is known, nothing is on its way any more. */
  async ask(sql: string): Promise<unknown> {
    this.#standing = undefined;
    try {
      const last = [await this.client.query<{ [column: string]: unknown }>(sql)].flat().at(-1);
      return Object.values(last?.rows[0] ?? {})[0];
    } finally {
      await this.#opening;
    }
  }

  /** The SQLSTATE with which it fails, or undefined. */
  fails(sql: string): Promise<string | undefined> {
    return this.ask(sql).then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
  }

  /** Resolves with the place when it stands at a gate. */
  async stands(): Promise<number> {
    while (this.#standing === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#standing.place;
  }

  /** Opens the gate at which it stands. */
  async go(): Promise<void> {
    const standing = this.#standing;
    if (standing === undefined) throw new Error("it stands at no gate");
    this.#standing = undefined;
    await this.locks.open(this.pid, standing.turn);
  }

  async end(): Promise<void> {
    await this.#opening;
    await this.client.end();
    await this.#control.end();
  }
}
