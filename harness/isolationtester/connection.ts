import pg from "pg";
import { HarnessError } from "../core/error.ts";
import { connect } from "../postgres/connection.ts";
import type { ServerMessage } from "./message-text.ts";
import type { PermutationStep } from "./spec.ts";
import type { ResultTable } from "./table.ts";

/** What the server, or the loss of the connection to it, says of a statement. */
export type Message =
  | { readonly type: "notice"; readonly notice: ServerMessage }
  | { readonly type: "done" }
  | { readonly type: "rows"; readonly table: ResultTable }
  | { readonly type: "error"; readonly error: ServerMessage }
  | { readonly type: "lost" };

/** The connection of one session, or of the spec itself, which gets all that the server says. */
export class SpecConnection {
  /** As the spec names it. */
  readonly name: string;
  /** Of the backend. */
  readonly pid: number;
  /** The step that was sent, until it is reported as completed. */
  active: PermutationStep | undefined;
  /** How many notices were taken, ever. */
  notices = 0;
  readonly #client: pg.Client;
  readonly #messages: Message[] = [];
  #notifications: pg.Notification[] = [];
  /** The server waits for a statement. */
  #ready = true;
  #lost = false;
  #wake = (): void => {};
  #unsupported: string | undefined;

  private constructor(client: pg.Client, name: string, pid: number) {
    this.#client = client;
    this.name = name;
    this.pid = pid;
    client.on("notice", (notice) => this.#heard({ type: "notice", notice }));
    client.on("notification", (notification) => this.#notifications.push(notification));
    // ReadyForQuery, after an error as well; nothing else is queued here.
    client.on("drain", () => this.#settled());
    client.on("end", () => {
      this.#lost = true;
      if (this.#ready) return;
      this.#messages.push({ type: "lost" });
      this.#settled();
    });
  }

  /** @param of the spec's name, which the server sees together with the session's. */
  static async open(url: string, of: string, name: string): Promise<SpecConnection> {
    const client = await connect(url);
    const { rows } = await client.query<{ pid: number }>(
      "select pg_backend_pid() as pid, set_config('application_name', $1, false)",
      [`isolation/${of}/${name}`],
    );
    return new SpecConnection(client, name, rows[0]?.pid ?? 0);
  }

  /** Sends one simple query. */
  send(sql: string): void {
    if (this.#lost) {
      throw new HarnessError(
        "CONNECTION_LOST",
        `The connection of session ${this.name} was lost, and it has another step to do.`,
      );
    }
    this.#ready = false;
    this.#client.query(
      new SimpleQuery(sql, {
        heard: (message) => this.#heard(message),
        unsupported: (what) => {
          this.#unsupported = what;
        },
      }),
    );
  }

  /** Sends one simple query, and takes its messages until the server is ready. */
  async execute(sql: string, take: (message: Message) => void): Promise<void> {
    this.send(sql);
    for (;;) {
      for (let message = this.take(); message !== undefined; message = this.take()) take(message);
      if (this.ready) return;
      await this.news(undefined);
    }
  }

  /** Asks the server something about another session. */
  async ask<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<Row | undefined> {
    return (await this.#client.query<Row>(query)).rows[0];
  }

  /** Whether all that the server had to say of the last statement has been heard. */
  get ready(): boolean {
    if (this.#unsupported !== undefined) {
      throw new HarnessError(
        "UNSUPPORTED",
        `Session ${this.name} uses ${this.#unsupported}, which heddle spec does not support.`,
      );
    }
    return this.#ready;
  }

  /** The next message, if it is a notice; statements tell of those as they come. */
  takeNotice(): ServerMessage | undefined {
    const [first] = this.#messages;
    if (first?.type !== "notice") return undefined;
    this.take();
    return first.notice;
  }

  take(): Message | undefined {
    const message = this.#messages.shift();
    if (message?.type === "notice") this.notices++;
    return message;
  }

  takeNotifications(): pg.Notification[] {
    return this.#notifications.splice(0);
  }

  /** Resolves with true when something is heard; with false after so many ms. */
  news(ms: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => resolve(false), ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  async close(): Promise<void> {
    if (!this.#lost) await this.#client.end();
  }

  #heard(message: Message): void {
    this.#messages.push(message);
    this.#wake();
  }

  #settled(): void {
    this.#ready = true;
    this.#wake();
  }
}

/** The side of `pg` that is told of each message of the server, and the words for answering it. */
interface Wire {
  query(text: string): void;
  sendCopyFail(reason: string): void;
}

interface Told {
  readonly heard: (message: Message) => void;
  readonly unsupported: (what: string) => void;
}

/** One simple query, of which every statement's outcome is kept, also those before an error. */
class SimpleQuery {
  readonly #sql: string;
  readonly #told: Told;
  #table: { columns: string[]; rows: (string | null)[][] } | undefined;

  constructor(sql: string, told: Told) {
    this.#sql = sql;
    this.#told = told;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#sql);
  }

  handleRowDescription({
    fields,
  }: {
    readonly fields: readonly { readonly name: string }[];
  }): void {
    this.#table = { columns: fields.map(({ name }) => name), rows: [] };
  }

  handleDataRow({ fields }: { readonly fields: (string | null)[] }): void {
    this.#table?.rows.push(fields);
  }

  handleCommandComplete(): void {
    this.#told.heard(
      this.#table === undefined ? { type: "done" } : { type: "rows", table: this.#table },
    );
    this.#table = undefined;
  }

  handleEmptyQuery(): void {
    this.#told.heard({ type: "done" });
  }

  /** Called for a lost connection too, which is seen when it ends. */
  handleError(error: Error): void {
    if (error instanceof pg.DatabaseError) this.#told.heard({ type: "error", error });
  }

  handleCopyInResponse(connection: Wire): void {
    this.#told.unsupported("COPY … FROM STDIN");
    connection.sendCopyFail("not supported");
  }

  handleCopyData(): void {
    this.#told.unsupported("COPY … TO STDOUT");
  }

  handleReadyForQuery(): void {}
}
