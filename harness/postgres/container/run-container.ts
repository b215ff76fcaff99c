import { chmod, mkdir } from "node:fs/promises";
import { platform } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../../core/error.ts";
import { type Address, urlOf } from "../address.ts";
import { connect } from "../connection.ts";
import { freePort } from "../embedded.ts";
import { settingArguments, settingsFor } from "../settings.ts";
import type { Engine } from "./engine.ts";

const PORT = 5432;
const SOCKETS = "/var/run/heddle";
const DATA = "/var/lib/heddle";
const READY_MS = 60_000;
const POLL_MS = 10;
const DAY_MS = 24 * 60 * 60 * 1000;

/** What a container is to be like. */
export interface ContainerRequest {
  readonly image: string;
  readonly password: string;
  /** Made if needed, and mounted for the server's socket, where that is possible. */
  readonly sockets: string;
  readonly labels: { [name: string]: string };
  /** Whether the data has to outlive the end of its processes; if not, it is in memory. */
  readonly durable: boolean;
  /** Makes it a container that is found again by this name, and used if it is there. */
  readonly name?: string;
}

/** A container in which Postgres takes connections. */
export interface RunningContainer {
  readonly id: string;
  readonly address: Address;
}

/**
 * Starts a container of an image that works as the official one does, and waits until its Postgres
 * takes connections.
 * @throws HarnessError PROVIDER_FAILED with what the container said.
 */
export async function runContainer(
  engine: Engine,
  wanted: ContainerRequest,
): Promise<RunningContainer> {
  let log = "";
  let stream: Readable | undefined;
  const listen = (output: Readable) => {
    stream = output.on("data", (chunk: Buffer | string) => {
      log = `${log}${chunk}`.slice(-LOG_CHARACTERS);
    });
  };
  try {
    const mounted = await mountable(engine, wanted.sockets);
    const start = async (ryuk: boolean) =>
      (await describe(engine, wanted, mounted))
        .withAutoCleanup(ryuk)
        .withLogConsumer(listen)
        .start();
    const started = await startWith(start, await hasRyuk(engine));
    const { password, sockets } = wanted;
    const host = started.getHost() === "localhost" ? "127.0.0.1" : started.getHost();
    const overTcp = { host, port: started.getMappedPort(PORT) };
    const ways = [...(mounted ? [{ host: sockets, port: PORT }] : []), overTcp];
    const address = await firstReady(ways, password, () => isRunning(engine, started.getId()));
    return { id: started.getId(), address };
  } catch (cause) {
    throw containerError(cause, wanted.image, log);
  } finally {
    stream?.destroy();
  }
}

const LOG_CHARACTERS = 10_000;

/**
 * Ryuk, a container that removes the others of its session, is one more safety net, for engines on
 * other machines above all: it is used where its image is, and otherwise done without.
 */
async function hasRyuk({ api }: Engine): Promise<boolean> {
  if (process.env["TESTCONTAINERS_RYUK_DISABLED"] === "true") return false;
  const reference = [process.env["RYUK_CONTAINER_IMAGE"] ?? "testcontainers/ryuk"];
  return (await api.listImages({ filters: { reference } })).length > 0;
}

async function startWith<T>(start: (ryuk: boolean) => Promise<T>, ryuk: boolean): Promise<T> {
  try {
    return await start(ryuk);
  } catch (error) {
    // Its image may be of another version than the library wants, and not be had.
    if (ryuk && /ryuk|reaper|Started/i.test(String(error))) return start(false);
    throw error;
  }
}

async function describe({ library }: Engine, wanted: ContainerRequest, mounted: boolean) {
  const { image, password, labels, durable, name, sockets } = wanted;
  const container = new library.PostgreSqlContainer(image)
    .withUsername("postgres")
    .withPassword(password)
    .withDatabase("postgres")
    .withLabels(labels)
    .withCommand(["postgres", ...settingArguments(containerSettings(durable, mounted))])
    .withEnvironment({ POSTGRES_INITDB_ARGS: "--no-sync" })
    // The default checks every 250 ms for as long as it lives, which takes a quarter of a core.
    .withHealthCheck({ test: ["CMD", "true"], interval: DAY_MS })
    // The official image first runs a temporary server, which says all but this one line.
    .withWaitStrategy(library.Wait.forLogMessage(/listening on IPv[46] address/))
    .withStartupTimeout(READY_MS)
    .withDefaultLogDriver();
  if (mounted) container.withBindMounts([{ source: sockets, target: SOCKETS, mode: "z" }]);
  // A port that the engine chooses is another one after each start.
  if (durable) container.withExposedPorts({ container: PORT, host: (await freePort()).port });
  else container.withEnvironment({ PGDATA: DATA }).withTmpFs({ [DATA]: "rw" });
  return name === undefined ? container : container.withName(name).withReuse();
}

/** How the server in a container is set. */
export function containerSettings(
  durable: boolean,
  mounted: boolean,
): { readonly [name: string]: string } {
  return {
    ...settingsFor(durable),
    // What it says is read: see above.
    lc_messages: "C",
    log_min_messages: "log",
    log_checkpoints: "off",
    logging_collector: "off",
    listen_addresses: "*",
    unix_socket_directories: mounted ? `/var/run/postgresql,${SOCKETS}` : "/var/run/postgresql",
  };
}

/**
 * Whether a socket in a folder of ours can be used from here: not through the virtual machine of
 * Docker Desktop. Where the engine sees another file system than we do, the socket does not appear.
 */
async function mountable(engine: Engine, folder: string): Promise<boolean> {
  if (platform() !== "linux" || engine.system === "Docker Desktop") return false;
  await mkdir(folder, { recursive: true });
  // Its server runs as a user of its own. Nobody else gets here: what is above is closed to them.
  await chmod(folder, 0o777);
  return true;
}

/** The first way on which Postgres answers, once it does so on any. */
async function firstReady(
  ways: readonly Address[],
  password: string,
  stillRuns: () => Promise<boolean>,
): Promise<Address> {
  const until = performance.now() + READY_MS;
  for (;;) {
    const way = await firstThatAnswers(ways, password);
    // The socket may have come up after it was tried, and before the port was.
    if (way !== undefined) return (await firstThatAnswers(ways, password)) ?? way;
    if (performance.now() > until) throw new Error("it did not take connections in time");
    if (!(await stillRuns())) throw new Error("it exited while it started");
    await delay(POLL_MS);
  }
}

async function firstThatAnswers(
  ways: readonly Address[],
  password: string,
): Promise<Address | undefined> {
  for (const way of ways) if (await answers(way, password)) return way;
  return undefined;
}

const WRONG_PASSWORD = "28P01";

async function answers(address: Address, password: string): Promise<boolean> {
  try {
    await (await connect(urlOf(address, password))).end();
    return true;
  } catch (error) {
    // Anything else may be its start, or a way that does not lead there.
    const { cause } = error as { cause?: { code?: string } };
    if (cause?.code === WRONG_PASSWORD) throw error;
    return false;
  }
}

async function isRunning({ api }: Engine, id: string): Promise<boolean> {
  return (await api.getContainer(id).inspect()).State.Running;
}

/** Starts a container that was killed, and waits until its Postgres has recovered. */
export async function restartContainer(
  engine: Engine,
  { id, address }: RunningContainer,
  password: string,
): Promise<void> {
  await engine.api.getContainer(id).start();
  await firstReady([address], password, () => isRunning(engine, id));
}

const QUOTED_CHARACTERS = 1500;

/**
 * What keeps a container from starting, and what to do about it.
 * @param log what the container said, if it came to that.
 */
export function containerError(cause: unknown, image: string, log: string): HarnessError {
  const said = cause instanceof Error ? cause.message : String(cause);
  const quoted = log.trim().slice(-QUOTED_CHARACTERS);
  const because = quoted === "" ? said : `${said}. Its log says: ${quoted}`;
  return new HarnessError(
    "PROVIDER_FAILED",
    `Cannot start a container of ${image}: ${advice(`${said}\n${quoted}`)} (${because})`,
    { cause },
  );
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /no space left on device|disk quota exceeded/i,
    "the disk is full: make room where the engine keeps its data (docker system df, docker system prune)",
  ],
  [
    /no such image|manifest unknown|pull access denied|repository .* not found|not found: manifest/i,
    "there is no such image, here or in its registry: check the name, or log in to the registry",
  ],
  [
    /no such host|dial tcp|connection refused|i\/o timeout|TLS handshake|toomanyrequests|HTTP code 5\d\d.*registry/i,
    "the image is not here, and its registry cannot be reached: pull or load it first, or name one that is here",
  ],
  [
    /invalid reference format|unescaped characters/i,
    "that is no image's name: give a tag of the official image, such as 17, or a whole name",
  ],
  [
    /executable file not found|ports to be bound|not received|log stream ended|exited/i,
    "it does not run as a Postgres: check that the image is one",
  ],
];

function advice(text: string): string {
  return ADVICE.find(([pattern]) => pattern.test(text))?.[1] ?? "the engine or the server refused";
}

/** The id of an image, if it is here. */
export async function imageId({ api }: Engine, image: string): Promise<string | undefined> {
  try {
    return (await api.getImage(image).inspect()).Id;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** Downloads an image that is not here yet. Returns its id. */
export async function pullImage(engine: Engine, image: string): Promise<string> {
  try {
    const here = await imageId(engine, image);
    if (here !== undefined) return here;
    await engine.images.pull(engine.library.ImageName.fromString(image));
    const pulled = await imageId(engine, image);
    if (pulled !== undefined) return pulled;
    throw new Error("no such image");
  } catch (cause) {
    throw containerError(cause, image, "");
  }
}
