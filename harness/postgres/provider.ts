import { HarnessError } from "../core/error.ts";
import { resolveImage, whyNoContainer } from "./container/engine.ts";
import { startEmbedded } from "./embedded.ts";
import type { Server, ServerOptions } from "./server.ts";
import { useServerAt } from "./url.ts";

export type { Database, Server, ServerFaults } from "./server.ts";

/** Holds the URL of the server that `url` and `auto` use. */
const URL_VARIABLE = "HEDDLE_POSTGRES_URL";

/** A choice of server, settled. */
export type ServerSelection =
  | { readonly provider: "embedded"; readonly major?: string | undefined; readonly why: string }
  | { readonly provider: "container"; readonly image: string; readonly why: string }
  | { readonly provider: "url"; readonly url: string; readonly why: string };

/**
 * @param choice `embedded`, or `embedded:16` for another major version that is installed;
 * `container`, or `container:TAG` or `container:IMAGE` for an image; a `postgres://` URL; `url` for
 * the one in HEDDLE_POSTGRES_URL; or `auto`: that one if it is set; else a container, if an engine
 * answers and has the image; else `embedded`.
 * @throws HarnessError PROVIDER_FAILED when the server cannot be had, USAGE when `choice` is none
 * of these, UNSUPPORTED when it is no server for the options.
 */
export async function startServer(choice: string, options: ServerOptions = {}): Promise<Server> {
  const settled = await selectServer(choice);
  if (options.reuse && settled.provider !== "container") {
    throw new HarnessError(
      "UNSUPPORTED",
      "Only a container can be kept from run to run: give --reuse together with --postgres container.",
    );
  }
  switch (settled.provider) {
    case "embedded":
      return startEmbedded({ ...settled, ...options });
    case "container": {
      if (options.reuse && options.faults) {
        throw new HarnessError("UNSUPPORTED", "A server that can be harmed is not kept.");
      }
      const { startContainer } = await import("./container/container.ts");
      return startContainer({ ...settled, ...options });
    }
    case "url":
      if (options.faults) {
        throw new HarnessError(
          "UNSUPPORTED",
          "The server of a URL is not ours to harm: use --postgres embedded or container for faults of the server.",
        );
      }
      return useServerAt(settled.url, settled.why);
  }
}

const IS_URL = /^postgres(ql)?:\/\//;
const AS_ASKED = "as asked";

/** What a choice means here. For `auto` an engine for containers may be asked. */
export async function selectServer(
  choice: string,
  here: {
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
  if (choice === "auto" && !here.url) return automatic(here.whyNoContainer ?? whyNoContainer);
  if (choice !== "auto" && choice !== "url") {
    throw new HarnessError(
      "USAGE",
      `There is no Postgres provider "${choice}": use auto, embedded[:major], container[:image], url or a postgres:// URL.`,
    );
  }
  if (here.url === undefined || !IS_URL.test(here.url)) {
    throw new HarnessError(
      "USAGE",
      `Set ${URL_VARIABLE} to a postgres:// URL, or give --postgres the URL itself.`,
    );
  }
  const other = choice === "auto" ? "; one of our own: --postgres embedded or container" : "";
  return { provider: "url", url: here.url, why: `from ${URL_VARIABLE}${other}` };
}

async function automatic(
  lacking: (image: string) => Promise<string | undefined>,
): Promise<ServerSelection> {
  const image = resolveImage("");
  const why = await lacking(image);
  if (why !== undefined) {
    const others = "another server: --postgres container, or postgres://…";
    return { provider: "embedded", why: `${URL_VARIABLE} is not set, and ${why}; ${others}` };
  }
  const others = "another server: --postgres embedded, or postgres://…";
  return { provider: "container", image, why: `an engine runs and has the image; ${others}` };
}

function split(choice: string): string[] {
  const colon = choice.indexOf(":");
  return colon < 0 ? [choice] : [choice.slice(0, colon), choice.slice(colon + 1)];
}
