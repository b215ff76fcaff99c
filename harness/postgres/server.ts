/** A running Postgres on which Heddle may create databases. */
export interface Server {
  readonly provider: "embedded" | "container" | "url";
  /** For example `18.4`. */
  readonly version: string;
  /** Whether its role is a superuser, which can do more than create databases. */
  readonly superuser: boolean;
  /** One line: which server this is, why it was chosen, and how to get another. */
  readonly description: string;
  /** A private folder with a short path. Removed when the server stops or this process is killed. */
  readonly folder: string;
  /** Present if the server was started with `ServerOptions.faults`. */
  readonly faults?: ServerFaults;
  /** Creates an empty database with a unique name. */
  lease(): Promise<Database>;
  /** Drops the remaining databases, and stops the server if Heddle has started it. May be called again. */
  stop(): Promise<void>;
}

/**
 * Faults of a server. Databases keep their URLs and committed data. Each method resolves when the fault
 * has happened.
 */
export interface ServerFaults {
  /** Stops all processes of the server (SIGSTOP): a query waits until `resume`. */
  pause(): Promise<void>;
  /** Continues a paused server. */
  resume(): Promise<void>;
  /** Kills all processes of the server at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts a killed server on its data, and waits until it has recovered. */
  restart(): Promise<void>;
  /** Cuts all connections to the databases, and refuses new ones. The server keeps running. */
  cut(): Promise<void>;
  /** Accepts connections again. */
  mend(): Promise<void>;
}

/** Options of `startServer`. */
export interface ServerOptions {
  /** Provides `Server.faults`. The data is then durable, which is slower. Default: false. */
  readonly faults?: boolean;
  /** Uses the container that an earlier run has left, and leaves it for the next one. Default: false. */
  readonly reuse?: boolean;
}

/** A disposable database. */
export interface Database {
  /**
   * Connection string that `pg`, libpq and `new URL` accept, for the harness: its role is a superuser where
   * the server allows it.
   */
  readonly url: string;
  /**
   * Connection string for the role that sets the schema up and owns it, and to which ports lead. It is a
   * superuser until the setup has ended, since setups may need that. Equal to `url` if the role of `url` is no
   * superuser.
   */
  readonly ownerUrl: string;
  readonly name: string;
  /**
   * How Heddle learns that a session waits for a lock. `pushed`: the server sends the session a notice
   * after its check for a deadlock, 1 ms after the wait begins. `polled`: the role may not change these
   * settings, so Heddle queries the server.
   */
  readonly lockWaits: "pushed" | "polled";
  /** Disconnects all clients, and keeps a copy of the database as it is now. */
  save(): Promise<void>;
  /**
   * Disconnects all clients, and puts the database back as `save` found it, with the same name, owner and
   * settings. Objects keep their ids (OIDs).
   */
  restore(): Promise<void>;
  /** Disconnects all clients, and drops the database and its copy. May be called again. */
  drop(): Promise<void>;
}
