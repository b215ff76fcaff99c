/** A running Postgres on which we may create databases. */
export interface Server {
  readonly provider: "embedded" | "container" | "url";
  /** Such as `18.4`. */
  readonly version: string;
  /** One line: which server it is, why that one, and how to get another. */
  readonly description: string;
  /** A private folder with a short path; removed when the server stops, and if we are killed. */
  readonly folder: string;
  /** If the server was started for it: what can be done to it. */
  readonly faults?: ServerFaults;
  /** A fresh database with a name of its own. */
  lease(): Promise<Database>;
  /** Drops what was leased and is left, and stops what we started. May be called again. */
  stop(): Promise<void>;
}

/**
 * What can happen to a server. Its databases keep their URLs through all of it, and whatever was
 * committed is there afterwards. Each method resolves when it has happened.
 */
export interface ServerFaults {
  /** Stops all processes of the server where they are: whoever asks it something waits. */
  pause(): Promise<void>;
  /** Lets a paused server go on. */
  resume(): Promise<void>;
  /** Ends all processes of the server at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts a killed server on its data, and waits until it has recovered. */
  restart(): Promise<void>;
  /** Cuts all connections to the databases, and refuses new ones; the server goes on. */
  cut(): Promise<void>;
  /** Lets connections through again. */
  mend(): Promise<void>;
}

/** What a server is wanted for. */
export interface ServerOptions {
  /** The server can be harmed (`Server.faults`). Its data is durable, which takes longer. */
  readonly faults?: boolean;
  /** Takes the container that an earlier run has left, and leaves it for the next one. */
  readonly reuse?: boolean;
}

/** A disposable database. */
export interface Database {
  /** Connection string, for `pg`, for libpq, and for `new URL`. */
  readonly url: string;
  readonly name: string;
  /**
   * How a session that waits for a lock is known. `pushed`: the server tells the session itself,
   * once its check for a deadlock has run after 1 ms. `polled`: we may not set that here, so the
   * server has to be asked.
   */
  readonly lockWaits: "pushed" | "polled";
  /** Disconnects whoever uses it. May be called again. */
  drop(): Promise<void>;
}
