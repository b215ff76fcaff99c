import module from "node:module";
import { dirname } from "node:path";

/**
 * An environment for a process of ours that keeps what it compiles where we do, if we do: bin/heddle.js
 * says where.
 */
export function sharingCompiled(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // Not before Node 22.1. It has a folder in it for each version of Node.
  const folder = (module as Partial<typeof module>).getCompileCacheDir?.();
  return folder === undefined ? env : { ...env, NODE_COMPILE_CACHE: dirname(folder) };
}
