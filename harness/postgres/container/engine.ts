import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { HarnessError } from "../../core/error.ts";
import { exists } from "../cache.ts";

type Library = typeof import("testcontainers") & typeof import("@testcontainers/postgresql");
type Client = Awaited<ReturnType<Library["getContainerRuntimeClient"]>>;

/** A running container engine. */
export interface Engine {
  readonly library: Library;
  /** The client of the engine's API. */
  readonly api: Client["container"]["dockerode"];
  readonly images: Client["image"];
  /** The operating system of the engine: `Debian GNU/Linux 12 (bookworm)`, or `Docker Desktop`. */
  readonly system: string;
}

// An import would load every export of the module, WebSocket and fetch included.
const { get } = process.getBuiltinModule("node:http");

const PACKAGES = ["@testcontainers/postgresql", "testcontainers"];
const ANSWER_MS = 10_000;

/**
 * Connects to the engine that testcontainers finds by DOCKER_HOST, its properties file or the default
 * sockets. Only this function loads testcontainers.
 * @throws HarnessError PROVIDER_FAILED that says what is missing.
 */
export async function openEngine(): Promise<Engine> {
  const library = await load();
  try {
    // testcontainers waits forever for an engine that does not answer, and ignores DOCKER_HOST if it fails.
    if ((await request("/_ping", ANSWER_MS)) === "unreachable") throw new Error("no answer");
    const client = await library.getContainerRuntimeClient();
    const system = client.info.containerRuntime.operatingSystem;
    return { library, api: client.container.dockerode, images: client.image, system };
  } catch (cause) {
    throw new HarnessError("PROVIDER_FAILED", await whyNoEngine(cause), { cause });
  }
}

async function load(): Promise<Library> {
  try {
    return {
      ...(await import("testcontainers")),
      ...(await import("@testcontainers/postgresql")),
    };
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    throw new HarnessError(
      "PROVIDER_FAILED",
      missing
        ? `Containers need two more packages: run npm install --save-dev ${PACKAGES.join(" ")}.`
        : `Node ${process.version} cannot load the package testcontainers: use Node 22.22 or later, or another server (--postgres embedded).`,
      { cause },
    );
  }
}

/** The time limit for `auto`, which must not delay a run. */
const QUICK_ANSWER_MS = 1000;

/**
 * Why a container of an image cannot be started without a download; undefined if it can. Does not load
 * testcontainers.
 */
export async function whyNoContainer(image: string): Promise<string | undefined> {
  try {
    for (const name of PACKAGES) import.meta.resolve(name);
  } catch {
    return `${PACKAGES[0]} is not installed`;
  }
  const answer = await request(`/images/${image}/json`, QUICK_ANSWER_MS);
  if (answer === "unreachable") return "no container engine answers";
  if (answer === "unknown") return "DOCKER_HOST is not a socket of this machine";
  return answer === 200 ? undefined : `the image ${image} is not present`;
}

/**
 * Sends a request to the engine on a socket of this machine. Returns the status of the response;
 * `unreachable` if there is none in time, `unknown` if the engine is on another machine.
 */
async function request(
  path: string,
  timeoutMs: number,
): Promise<number | "unreachable" | "unknown"> {
  const dockerHost = process.env["DOCKER_HOST"];
  if (process.platform === "win32" || (dockerHost && !dockerHost.startsWith("unix://")))
    return "unknown";
  const signal = AbortSignal.timeout(timeoutMs);
  for (const socketPath of sockets()) {
    if (!(await exists(socketPath))) continue;
    const status = await new Promise<number | undefined>((resolve) => {
      const outgoing = get({ socketPath, path: encodeURI(path), signal }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      outgoing.on("error", () => resolve(undefined));
    });
    if (status !== undefined) return status;
  }
  return (await exists(join(homedir(), ".testcontainers.properties"))) ? "unknown" : "unreachable";
}

/** The sockets of container engines, in the order in which testcontainers tries them. */
function sockets(): string[] {
  const dockerHost = process.env["DOCKER_HOST"];
  if (dockerHost) return [dockerHost.replace("unix://", "")];
  const runtime = process.env["XDG_RUNTIME_DIR"];
  return [
    "/var/run/docker.sock",
    ...(runtime ? [join(runtime, "docker.sock")] : []),
    join(homedir(), ".docker/run/docker.sock"),
    join(homedir(), ".docker/desktop/docker.sock"),
    `/run/user/${process.getuid?.()}/docker.sock`,
  ];
}

async function whyNoEngine(cause: unknown): Promise<string> {
  for (const socket of sockets()) {
    const error = await access(socket, constants.R_OK | constants.W_OK).catch((e: unknown) => e);
    if ((error as NodeJS.ErrnoException | undefined)?.code === "EACCES") {
      return `This user may not use the engine's socket ${socket}: let an administrator add the user to the socket's group (usually docker) and log in again, or use another server (--postgres embedded).`;
    }
  }
  const address = process.env["DOCKER_HOST"] ?? sockets()[0];
  const reason = cause instanceof Error ? cause.message : String(cause);
  return `No container engine answers at ${address} (${reason}): start Docker, set DOCKER_HOST, or use another server (--postgres embedded).`;
}

/** The major version of the embedded server. */
const DEFAULT_TAG = "18";

/** The environment variable with the image that `container` and `auto` use. */
const IMAGE_VARIABLE = "HEDDLE_POSTGRES_IMAGE";

/**
 * Resolves a tag of the official image (`17`, `17-alpine`) or a whole name (`postgis/postgis:17-3.5`) to
 * the name of an image. An empty text resolves to HEDDLE_POSTGRES_IMAGE, or else `postgres:18`.
 */
export function resolveImage(
  tagOrName: string,
  defaultImage = process.env[IMAGE_VARIABLE],
): string {
  if (tagOrName === "") return defaultImage || `postgres:${DEFAULT_TAG}`;
  return /[:/]/.test(tagOrName) ? tagOrName : `postgres:${tagOrName}`;
}
