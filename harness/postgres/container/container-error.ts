import { HarnessError } from "../../core/error.ts";

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
