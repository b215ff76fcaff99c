import { existsSync } from "node:fs";

/** The other way to name a service, in a project with a folder `models`. */
export function orFolderInModels(): string {
  return existsSync("models") ? ", or the name of a folder in models/" : "";
}
