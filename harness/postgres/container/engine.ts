import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { HarnessError } from "../../core/error.ts";
import { exists } from "../cache.ts";

type Library = typeof import("testcontainers") & typeof import("@testcontainers/postgresql");
type Client = Awaited<ReturnType<Library["getContainerRuntimeClient"]>>;

/** An engine for containers that answers. */
export interface Engine {
  readonly library: Library;
  /** What it can be asked over its API. */
  readonly api: Client["container"]["dockerode"];
  readonly images: Client["image"];
  /** Such as `Debian GNU/Linux 12 (bookworm)`, or `Docker Desktop`. */
  readonly system: string;
}

// An import would load all that the module has, WebSocket and fetch included.
const { get } = process.getBuiltinModule("node:http");

const PACKAGES = ["@testcontainers/postgresql", "testcontainers"];
const ANSWER_MS = 10_000;

/**
 * Finds the engine where testcontainers looks for it: DOCKER_HOST, its own properties file, and the
 * usual sockets. All of its code is loaded here, and only here.
 * @throws HarnessError PROVIDER_FAILED that says what is missing.
 */
export async function openEngine(): Promise<Engine> {
  const library = await load();
  try {
    // It would wait for ever for one that does not answer, and take another one than DOCKER_HOST's.
    if ((await ask("/_ping", ANSWER_MS)) === "nobody") throw new Error("nobody answers");
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
        : `The package testcontainers cannot be loaded by Node ${process.version}: use Node 22.22 or later, or another server (--postgres embedded).`,
      { cause },
    );
  }
}

const AT_SIGHT_MS = 1000;

/**
 * Why a container of an image cannot be started without a download; undefined if it can. No code is
 * loaded for that, unless the engine is on another machine.
 */
export async function whyNoContainer(image: string): Promise<string | undefined> {
  try {
    for (const name of PACKAGES) import.meta.resolve(name);
  } catch {
    return `${PACKAGES[0]} is not installed`;
  }
  const answer = await ask(`/images/${image}/json`, AT_SIGHT_MS);
  if (answer === "nobody") return "no engine for containers answers";
  if (answer === "unknown") return "DOCKER_HOST is no socket of this machine";
  return answer === 200 ? undefined : `the image ${image} is not here`;
}

/**
 * Asks the engine on a socket of this machine. Returns the status of its answer; `nobody` if there
 * is none in time, `unknown` if the engine is elsewhere.
 */
async function ask(path: string, answerMs: number): Promise<number | "nobody" | "unknown"> {
  const given = process.env["DOCKER_HOST"];
  if (process.platform === "win32" || (given && !given.startsWith("unix://"))) return "unknown";
  const signal = AbortSignal.timeout(answerMs);
  for (const socketPath of sockets()) {
    if (!(await exists(socketPath))) continue;
    const status = await new Promise<number | undefined>((resolve) => {
      const question = get({ socketPath, path: encodeURI(path), signal }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      question.on("error", () => resolve(undefined));
    });
    if (status !== undefined) return status;
  }
  return (await exists(join(homedir(), ".testcontainers.properties"))) ? "unknown" : "nobody";
}

/** The sockets of engines, in the order in which testcontainers tries them. */
function sockets(): string[] {
  const given = process.env["DOCKER_HOST"];
  if (given) return [given.replace("unix://", "")];
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
  const where = process.env["DOCKER_HOST"] ?? sockets()[0];
  const said = cause instanceof Error ? cause.message : String(cause);
  return `No engine for containers answers at ${where} (${said}): start Docker, set DOCKER_HOST, or use another server (--postgres embedded).`;
}

/** Of the major version that the embedded server has. */
const USUAL_TAG = "18";

/** Names the image that `container` and `auto` use. */
const IMAGE_VARIABLE = "HEDDLE_POSTGRES_IMAGE";

/**
 * The image that is meant: by a tag of the official image (`17`, `17-alpine`), or by a whole name
 * (`postgis/postgis:17-3.5`, `postgres:17`); without either, by HEDDLE_POSTGRES_IMAGE.
 */
export function resolveImage(given: string, usual = process.env[IMAGE_VARIABLE]): string {
  if (given === "") return usual || `postgres:${USUAL_TAG}`;
  return /[:/]/.test(given) ? given : `postgres:${given}`;
}
