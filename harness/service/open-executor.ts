import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { Executor, type ExecutorOptions } from "../execution/executor.ts";
import type { SystemSetup } from "../execution/start-system.ts";
import type { Server } from "../postgres/provider.ts";
import { mutated } from "./mutated.ts";
import type { Service } from "./service.ts";

/** A change of a service's schema: SQL that runs once after its migrations. */
export interface SchemaMutant {
  readonly name: string;
  readonly ddl: string;
}

/** The name of a seeded bug, or a change of the schema. */
export type AppliedMutant = string | SchemaMutant;

export function mutantName(mutant: AppliedMutant): string {
  return typeof mutant === "string" ? mutant : mutant.name;
}

/**
 * How the service is set up, with one of its seeded bugs or a change of its schema.
 * @throws HarnessError USAGE when the service has no such seeded bug.
 */
export function setupOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  mutant: AppliedMutant | undefined,
): SystemSetup<State, Op> {
  if (typeof mutant === "object") return setupOf(mutated(service, mutant.ddl), undefined);
  if (mutant !== undefined && !service.seededBugs.some(({ name }) => name === mutant)) {
    const names = service.seededBugs.map(({ name }) => name).join(", ") || "none";
    throw new HarnessError(
      "USAGE",
      `the model "${service.name}" has no mutant "${mutant}"; it has: ${names}`,
    );
  }
  return {
    migrate: (directUrl) => service.migrate(directUrl, mutant),
    start: (context) => service.start(context, mutant),
  };
}

/** Opens an executor for a service; see `setupOf`. */
export async function openExecutor<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  mutant: AppliedMutant | undefined,
  options: ExecutorOptions,
): Promise<Executor<State, Op>> {
  const { queries = [] } = service;
  return Executor.open(server, setupOf(service, mutant), { ...options, queries });
}
