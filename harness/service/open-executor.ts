import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { Executor } from "../execution/executor.ts";
import type { ExecutorOptions } from "../execution/executor-options.ts";
import type { SystemFactory } from "../execution/system.ts";
import { withClient } from "../postgres/connection.ts";
import type { Server } from "../postgres/provider.ts";
import type { Service } from "./service.ts";

/** A mutant of a service's schema: SQL that is executed once after the migrations. */
export interface SchemaMutant {
  readonly name: string;
  /** An SQL script. */
  readonly ddl: string;
}

/** The name of a seeded bug, or a mutant of the schema. */
export type AppliedMutant = string | SchemaMutant;

export function mutantName(mutant: AppliedMutant): string {
  return typeof mutant === "string" ? mutant : mutant.name;
}

/**
 * How an executor sets the service up, with a seeded bug or a mutant of the schema if one is given.
 * @throws HarnessError USAGE when the service has no such seeded bug.
 */
export function setupOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  mutant: AppliedMutant | undefined,
): SystemFactory<State, Op> {
  if (typeof mutant === "object") return setupOf(mutated(service, mutant.ddl), undefined);
  if (mutant !== undefined && !service.seededBugs.some(({ name }) => name === mutant)) {
    const names = service.seededBugs.map(({ name }) => name).join(", ") || "none";
    throw new HarnessError(
      "USAGE",
      `the service "${service.name}" has no seeded bug "${mutant}"; it has: ${names}`,
    );
  }
  return {
    migrate: (directUrl, freeze) => service.migrate(directUrl, mutant, freeze),
    ...(service.prepare && { prepare: service.prepare }),
    start: (context) => service.start(context, mutant),
    ...(service.refresh && { refresh: service.refresh }),
  };
}

/** Opens an executor for a service. See `setupOf` for `mutant` and errors. */
export async function openExecutor<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  mutant: AppliedMutant | undefined,
  options: ExecutorOptions,
): Promise<Executor<State, Op>> {
  const { queries = [], clientNames: names } = service;
  return Executor.open(server, setupOf(service, mutant), { names, ...options, queries });
}

/** The service with SQL that is executed once after its migrations, and without seeded bugs. */
function mutated<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  ddl: string,
): Service<State, Op> {
  return {
    ...service,
    seededBugs: [],
    migrate: async (directUrl, _, freeze) => {
      await service.migrate(directUrl, undefined, freeze);
      await withClient(directUrl, (client) => client.query(ddl));
    },
    start: (context) => service.start(context, undefined),
  };
}
