import pg from "pg";
import { HarnessError } from "../core/error.ts";
import { connect } from "../postgres/connection.ts";
import type { ResultTable, ServerMessage } from "./output.ts";
import type { PermutationStep } from "./spec.ts";

/** A message of the server about a statement; `lost`: the connection ended before the statement did. */
export type StatementMessage =
  | { readonly type: "notice"; readonly notice: ServerMessage }
  | { readonly type: "done" }
  | { readonly type: "rows"; readonly table: ResultTable }
  | { readonly type: "error"; readonly error: ServerMessage }
  | { readonly type: "lost" };

/** The connection of one session, or the control connection of the spec. Queues all messages of the server. */
export class SpecConnection {
  /** The name of the session in the spec. */
  readonly name: string;
  /** The process id of the backend. */
  readonly pid: number;
  /** The step that was sent and is not reported as completed yet. */
  active: PermutationStep | undefined;
  /** The number of notices taken since the connection was opened. */
  notices = 0;
  readonly #client: pg.Client;
  readonly #messages: StatementMessage[] = [];
  #notifications: pg.Notification[] = [];
  /** Whether the server is ready for the next statement. */
  #ready = true;
  #lost = false;
  #wake = (): void => {};
  #unsupported: string | undefined;

  private constructor(client: pg.Client, name: string, pid: number) {
    this.#client = client;
    this.name = name;
    this.pid = pid;
    client.on("notice", (notice) => this.#queue({ type: "notice", notice }));
    client.on("notification", (notification) => this.#notifications.push(notification));
    // pg emits `drain` at ReadyForQuery, after an error as well, since no other query is queued here.
    client.on("drain", () => this.#becomeReady());
    client.on("end", () => {
      this.#lost = true;
      if (this.#ready) return;
      this.#messages.push({ type: "lost" });
      this.#becomeReady();
    });
  }

  /** @param spec the name of the spec: part of the `application_name` that the server sees. */
  static async open(url: string, spec: string, name: string): Promise<SpecConnection> {
    const client = await connect(url);
    const { rows } = await client.query<{ pid: number }>(
      "select pg_backend_pid() as pid, set_config('application_name', $1, false)",
      [`isolation/${spec}/${name}`],
    );
    return new SpecConnection(client, name, rows[0]?.pid ?? 0);
  }

  /** Sends one simple query. */
  send(sql: string): void {
    if (this.#lost) {
      throw new HarnessError(
        "CONNECTION_LOST",
        `Session ${this.name} lost its connection before its next step: the spec, or another client, ended it.`,
      );
    }
    this.#ready = false;
    this.#client.query(
      new SimpleQuery(sql, {
        onMessage: (message) => this.#queue(message),
        onUnsupported: (what) => {
          this.#unsupported = what;
        },
      }),
    );
  }

  /** Sends one simple query, and passes its messages to `take` until the server is ready. */
  async execute(sql: string, take: (message: StatementMessage) => void): Promise<void> {
    this.send(sql);
    for (;;) {
      for (let message = this.take(); message !== undefined; message = this.take()) take(message);
      if (this.ready) return;
      await this.nextMessage(undefined);
    }
  }

  /** Executes a query, such as one about another session, and returns its first row. */
  async ask<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<Row | undefined> {
    return (await this.#client.query<Row>(query)).rows[0];
  }

  /** Whether the server has sent all messages about the last statement. */
  get ready(): boolean {
    if (this.#unsupported !== undefined) {
      throw new HarnessError(
        "UNSUPPORTED",
        `Session ${this.name} uses ${this.#unsupported}, which heddle spec does not support: take it out of the spec.`,
      );
    }
    return this.#ready;
  }

  /** Takes the next message if it is a notice. Notices are printed as they arrive. */
  takeNotice(): ServerMessage | undefined {
    const [first] = this.#messages;
    if (first?.type !== "notice") return undefined;
    this.take();
    return first.notice;
  }

  take(): StatementMessage | undefined {
    const message = this.#messages.shift();
    if (message?.type === "notice") this.notices++;
    return message;
  }

  takeNotifications(): pg.Notification[] {
    return this.#notifications.splice(0);
  }

  /** Resolves with true at the next message or end of a statement; with false after `ms`. */
  nextMessage(ms: number | undefined): Promise<boolean> {
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

  #queue(message: StatementMessage): void {
    this.#messages.push(message);
    this.#wake();
  }

  #becomeReady(): void {
    this.#ready = true;
    this.#wake();
  }
}

/** The part of pg's connection that answers a COPY, which its types do not declare. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFail(reason: string): void;
}

interface QueryListener {
  readonly onMessage: (message: StatementMessage) => void;
  readonly onUnsupported: (what: string) => void;
}

/** A simple query that passes on the result of every statement, also of those before an error. */
class SimpleQuery {
  readonly #sql: string;
  readonly #listener: QueryListener;
  #table: { columns: string[]; rows: (string | null)[][] } | undefined;

  constructor(sql: string, listener: QueryListener) {
    this.#sql = sql;
    this.#listener = listener;
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
    this.#listener.onMessage(
      this.#table === undefined ? { type: "done" } : { type: "rows", table: this.#table },
    );
    this.#table = undefined;
  }

  handleEmptyQuery(): void {
    this.#listener.onMessage({ type: "done" });
  }

  /** pg calls this for a lost connection too, which the `end` event reports. */
  handleError(error: Error): void {
    if (error instanceof pg.DatabaseError) this.#listener.onMessage({ type: "error", error });
  }

  handleCopyInResponse(connection: CopyConnection): void {
    this.#listener.onUnsupported("COPY … FROM STDIN");
    connection.sendCopyFail("not supported");
  }

  handleCopyData(): void {
    this.#listener.onUnsupported("COPY … TO STDOUT");
  }

  handleReadyForQuery(): void {}
}
