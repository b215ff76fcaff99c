import { chmod, mkdir } from "node:fs/promises";
import { platform } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../../core/error.ts";
import { type Address, freePort, urlOf } from "../address.ts";
import { connect } from "../connection.ts";
import { settingArguments, settingsFor } from "../settings.ts";
import type { Engine } from "./engine.ts";

const PORT = 5432;
const SOCKETS = "/var/run/heddle";
const DATA = "/var/lib/heddle";
const READY_MS = 60_000;
const POLL_MS = 10;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The container to run. */
export interface ContainerRequest {
  readonly image: string;
  readonly password: string;
  /** A folder that is created and, where possible, mounted for the server's socket. */
  readonly sockets: string;
  readonly labels: { [name: string]: string };
  /** Whether the data must survive a kill of the server. If not, it is in memory. */
  readonly durable: boolean;
  /** If given, a container with this name is reused if it exists, and is not removed. */
  readonly name?: string;
}

/** A container whose Postgres accepts connections. */
export interface RunningContainer {
  readonly id: string;
  readonly address: Address;
}

/**
 * Starts a container of an image that works like the official one, and waits until its Postgres accepts
 * connections.
 * @throws HarnessError PROVIDER_FAILED with the end of the container's log.
 */
export async function runContainer(
  engine: Engine,
  request: ContainerRequest,
): Promise<RunningContainer> {
  let log = "";
  let stream: Readable | undefined;
  const listen = (output: Readable) => {
    stream = output.on("data", (chunk: Buffer | string) => {
      log = `${log}${chunk}`.slice(-LOG_CHARACTERS);
    });
  };
  try {
    const mounted = await mountable(engine, request.sockets);
    const start = async (ryuk: boolean) =>
      (await containerOf(engine, request, mounted))
        .withAutoCleanup(ryuk)
        .withLogConsumer(listen)
        .start();
    const started = await startWith(start, await hasRyuk(engine));
    const { password, sockets } = request;
    const host = started.getHost() === "localhost" ? "127.0.0.1" : started.getHost();
    const overTcp = { host, port: started.getMappedPort(PORT) };
    const addresses = [...(mounted ? [{ host: sockets, port: PORT }] : []), overTcp];
    const address = await firstReady(addresses, password, () => isRunning(engine, started.getId()));
    return { id: started.getId(), address };
  } catch (cause) {
    throw containerError(cause, request.image, log);
  } finally {
    stream?.destroy();
  }
}

const LOG_CHARACTERS = 10_000;

/**
 * Whether to use Ryuk, a container of testcontainers that removes containers of dead sessions: only if its
 * image is present, so that it is not downloaded. It matters for engines on other machines.
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
    // The library may require another version of Ryuk's image, and fail to download it.
    if (ryuk && /ryuk|reaper|Started/i.test(String(error))) return start(false);
    throw error;
  }
}

/** The definition of a container in testcontainers. */
async function containerOf({ library }: Engine, request: ContainerRequest, mounted: boolean) {
  const { image, password, labels, durable, name, sockets } = request;
  const container = new library.PostgreSqlContainer(image)
    .withUsername("postgres")
    .withPassword(password)
    .withDatabase("postgres")
    .withLabels(labels)
    .withCommand(["postgres", ...settingArguments(containerSettings(durable, mounted))])
    .withEnvironment({ POSTGRES_INITDB_ARGS: "--no-sync" })
    // The default check every 250 ms takes a quarter of a core as long as the container lives.
    .withHealthCheck({ test: ["CMD", "true"], interval: DAY_MS })
    // The official image first runs a temporary server, which logs every line but this one.
    .withWaitStrategy(library.Wait.forLogMessage(/listening on IPv[46] address/))
    .withStartupTimeout(READY_MS)
    .withDefaultLogDriver();
  if (mounted) container.withBindMounts([{ source: sockets, target: SOCKETS, mode: "z" }]);
  // A port that the engine chooses changes at each start, and so after a kill.
  if (durable) container.withExposedPorts({ container: PORT, host: (await freePort()).port });
  else container.withEnvironment({ PGDATA: DATA }).withTmpFs({ [DATA]: "rw" });
  return name === undefined ? container : container.withName(name).withReuse();
}

/** The settings of the server in a container. */
export function containerSettings(
  durable: boolean,
  mounted: boolean,
): { readonly [name: string]: string } {
  return {
    ...settingsFor(durable),
    // `withWaitStrategy` reads the log.
    lc_messages: "C",
    log_min_messages: "log",
    log_checkpoints: "off",
    logging_collector: "off",
    listen_addresses: "*",
    unix_socket_directories: mounted ? `/var/run/postgresql,${SOCKETS}` : "/var/run/postgresql",
  };
}

/**
 * Whether a folder can be mounted so that this process can use a socket in it: not in the virtual machine
 * of Docker Desktop. If the engine has another file system than this process, the socket does not appear.
 */
async function mountable(engine: Engine, folder: string): Promise<boolean> {
  if (platform() !== "linux" || engine.system === "Docker Desktop") return false;
  await mkdir(folder, { recursive: true });
  // The server's user in the container must write here. Other users cannot enter the folders above.
  await chmod(folder, 0o777);
  return true;
}

/** The first of several addresses at which Postgres answers, as soon as it answers at any. */
async function firstReady(
  addresses: readonly Address[],
  password: string,
  stillRuns: () => Promise<boolean>,
): Promise<Address> {
  const until = performance.now() + READY_MS;
  for (;;) {
    const address = await firstThatAnswers(addresses, password);
    // The socket may have appeared between the tests of the socket and of the port.
    if (address !== undefined) return (await firstThatAnswers(addresses, password)) ?? address;
    if (performance.now() > until) throw new Error("it did not accept connections in time");
    if (!(await stillRuns())) throw new Error("it exited while it started");
    await delay(POLL_MS);
  }
}

async function firstThatAnswers(
  addresses: readonly Address[],
  password: string,
): Promise<Address | undefined> {
  for (const address of addresses) if (await answers(address, password)) return address;
  return undefined;
}

const WRONG_PASSWORD = "28P01";

async function answers(address: Address, password: string): Promise<boolean> {
  try {
    await (await connect(urlOf(address, password))).end();
    return true;
  } catch (error) {
    // Any other error may mean that the server is starting, or that the address does not reach it.
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
 * An error that says why a container did not start, and what to do.
 * @param log the output of the container; empty if it did not start.
 */
export function containerError(cause: unknown, image: string, log: string): HarnessError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const quoted = log.trim().slice(-QUOTED_CHARACTERS);
  const because = quoted === "" ? reason : `${reason}. Its log says: ${quoted}`;
  return new HarnessError(
    "PROVIDER_FAILED",
    `Cannot start a container of ${image}: ${advice(`${reason}\n${quoted}`)} (${because})`,
    { cause },
  );
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /no space left on device|disk quota exceeded/i,
    "the disk is full: free space for the engine's data (docker system df, docker system prune)",
  ],
  [
    /no such image|manifest unknown|pull access denied|repository .* not found|not found: manifest/i,
    "there is no such image on this machine or in its registry: check the name, or log in to the registry",
  ],
  [
    /no such host|dial tcp|connection refused|i\/o timeout|TLS handshake|toomanyrequests|HTTP code 5\d\d.*registry/i,
    "the image is not present, and its registry cannot be reached: pull or load it first, or name another image",
  ],
  [
    /invalid reference format|unescaped characters/i,
    "this is not the name of an image: give a tag of the official image, such as 17, or a whole name",
  ],
  [
    /executable file not found|ports to be bound|not received|log stream ended|exited/i,
    "the image does not run a Postgres: check the image",
  ],
];

function advice(text: string): string {
  return (
    ADVICE.find(([pattern]) => pattern.test(text))?.[1] ??
    "the engine or the server reported an error"
  );
}

/** The id of an image, if it is present. */
export async function imageId({ api }: Engine, image: string): Promise<string | undefined> {
  try {
    return (await api.getImage(image).inspect()).Id;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** Downloads an image unless it is present. Returns its id. */
export async function pullImage(engine: Engine, image: string): Promise<string> {
  try {
    const present = await imageId(engine, image);
    if (present !== undefined) return present;
    await engine.images.pull(engine.library.ImageName.fromString(image));
    const pulled = await imageId(engine, image);
    if (pulled !== undefined) return pulled;
    throw new Error("no such image");
  } catch (cause) {
    throw containerError(cause, image, "");
  }
}
