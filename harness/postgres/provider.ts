import { HarnessError } from "../core/error.ts";
import { resolveImage, whyNoContainer } from "./container/engine.ts";
import { startEmbedded } from "./embedded.ts";
import type { Server, ServerOptions } from "./server.ts";
import { useServerAt } from "./url.ts";

export type { Database, Server, ServerFaults } from "./server.ts";

/** The environment variable with the URL that `url` and `auto` use. */
const URL_VARIABLE = "HEDDLE_POSTGRES_URL";

/** The server that a choice selects, and why. */
export type ServerSelection =
  | { readonly provider: "embedded"; readonly major?: string | undefined; readonly why: string }
  | { readonly provider: "container"; readonly image: string; readonly why: string }
  | { readonly provider: "url"; readonly url: string; readonly why: string };

/**
 * Starts a server, or connects to one that is running already. Stop it with `Server.stop`.
 *
 * ```ts
 * const server = await startServer("embedded:17");
 * ```
 *
 * @param choice one of:
 * - `embedded`, or `embedded:16` for another installed major version;
 * - `container`, or `container:TAG` or `container:IMAGE` for another image;
 * - a `postgres://` URL, or `url` for the one in HEDDLE_POSTGRES_URL;
 * - `auto`: the URL in HEDDLE_POSTGRES_URL if it is set; else a container if an engine is running and has
 *   the image; else `embedded`.
 * @throws HarnessError `PROVIDER_FAILED` if the server cannot be started or reached, `USAGE` if `choice` is
 * none of these, `UNSUPPORTED` if the server does not support the options
 */
export async function startServer(choice: string, options: ServerOptions = {}): Promise<Server> {
  const selected = await selectServer(choice);
  if (options.reuse && selected.provider !== "container") {
    throw new HarnessError(
      "UNSUPPORTED",
      "Only a container can be reused by the next run: give --reuse together with --postgres container.",
    );
  }
  switch (selected.provider) {
    case "embedded":
      return startEmbedded({ ...selected, ...options });
    case "container": {
      if (options.reuse && options.faults) {
        throw new HarnessError(
          "UNSUPPORTED",
          "A container for faults cannot be reused: leave out --reuse, or the faults of the server.",
        );
      }
      const { startContainer } = await import("./container/container.ts");
      return startContainer({ ...selected, ...options });
    }
    case "url":
      if (options.faults) {
        throw new HarnessError(
          "UNSUPPORTED",
          "Heddle does not inject faults into a server that it has not started: use --postgres embedded or container for faults of the server.",
        );
      }
      return useServerAt(selected.url, selected.why);
  }
}

const IS_URL = /^postgres(ql)?:\/\//;
const AS_ASKED = "as asked";

/** The server that a choice selects in this environment. For `auto`, asks the container engine. */
export async function selectServer(
  choice: string,
  environment: {
    /** The URL that `url` and `auto` use. */
    readonly url?: string | undefined;
    readonly whyNoContainer?: (image: string) => Promise<string | undefined>;
  } = { url: process.env[URL_VARIABLE] },
): Promise<ServerSelection> {
  const [provider, detail = ""] = split(choice);
  if (IS_URL.test(choice)) return { provider: "url", url: choice, why: AS_ASKED };
  if (provider === "embedded" && /^\d*$/.test(detail)) {
    return { provider, major: detail || undefined, why: AS_ASKED };
  }
  if (provider === "container") return { provider, image: resolveImage(detail), why: AS_ASKED };
  if (choice === "auto" && !environment.url)
    return automatic(environment.whyNoContainer ?? whyNoContainer);
  if (choice !== "auto" && choice !== "url") {
    throw new HarnessError(
      "USAGE",
      `Unknown Postgres provider "${choice}": use auto, embedded[:major], container[:image], url or a postgres:// URL.`,
    );
  }
  if (environment.url === undefined || !IS_URL.test(environment.url)) {
    throw new HarnessError(
      "USAGE",
      `Set ${URL_VARIABLE} to a postgres:// URL, or give the URL to --postgres.`,
    );
  }
  const other = choice === "auto" ? "; to start one: --postgres embedded or container" : "";
  return { provider: "url", url: environment.url, why: `from ${URL_VARIABLE}${other}` };
}

async function automatic(
  missing: (image: string) => Promise<string | undefined>,
): Promise<ServerSelection> {
  const image = resolveImage("");
  const why = await missing(image);
  if (why !== undefined) {
    const others = "another server: --postgres container, or postgres://…";
    return { provider: "embedded", why: `${URL_VARIABLE} is not set, and ${why}; ${others}` };
  }
  const others = "another server: --postgres embedded, or postgres://…";
  return {
    provider: "container",
    image,
    why: `a container engine is running and has the image; ${others}`,
  };
}

function split(choice: string): string[] {
  const colon = choice.indexOf(":");
  return colon < 0 ? [choice] : [choice.slice(0, colon), choice.slice(colon + 1)];
}
