import fc from "fast-check";
import { isolationNamed } from "../core/control.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import { applySetup } from "./apply-setup.ts";
import { type DefinedState, NO_ROW, resolvedDefinition, startDefined } from "./defined-system.ts";
import { expectsCode, isExpected } from "./expected-error.ts";
import { invariantOf } from "./invariant-definition.ts";
import { arbitraryOf, type DefinedOperation } from "./operation-definition.ts";
import type { Bounds, Service } from "./service.ts";
import type { ResolvedDefinition, ServiceDefinition } from "./service-definition.ts";
import type { ServiceProfile } from "./service-profile.ts";
import { shortMessage } from "./short-message.ts";
import { prepareSnapshot } from "./snapshot.ts";
import { NO_CATALOG } from "./sources/catalog.ts";

/** The most operations of a generated prefix that is not one of the profile. */
const MOST_PREFIX = 4;

/** More clients have one operation each: all orders of five operations can be tried. */
const MOST_CLIENTS_WITH_TWO = 2;

/**
 * A service definition as a service. Scenarios begin with a prefix of operations, executed serially;
 * executions have to equal some serial order of the clients' operations.
 *
 * @param path the path of the file, by which a replay loads it again
 */
export function definedService(
  definition: ServiceDefinition,
  path: string,
  file: URL,
): Service<DefinedState, DefinedOperation> {
  return compiled(definition, path, file, undefined);
}

function compiled(
  definition: ServiceDefinition,
  path: string,
  file: URL,
  profile: ServiceProfile | undefined,
): Service<DefinedState, DefinedOperation> {
  const catalog = profile?.catalog;
  // A service without its profile generates nothing.
  const resolved = (): ResolvedDefinition =>
    resolvedDefinition(definition, catalog ?? NO_CATALOG, file);
  const ids = mergedIds(profile?.ids ?? {}, definition.ids ?? {});
  const { errors = [] } = definition;
  const isolation = isolationNamed(definition.isolation ?? "");
  return {
    name: definition.name ?? path,
    migrate: (directUrl, _, freeze) => applySetup(definition, directUrl, file, freeze),
    prepare: prepareSnapshot,
    start: (context) => startDefined({ definition, file, catalog, ids }, context),
    profiled: (learned) => compiled(definition, path, file, learned as unknown as ServiceProfile),
    scenarios: (bounds) => scenariosOf(resolved(), profile, bounds),
    ...(isOwnProcess(definition) && { ownProcess: true }),
    ...(isolation && { isolation }),
    byOperations: true,
    pairs: () =>
      (profile?.pairs ?? []).map(({ name, prefix, operations }) => ({
        name,
        scenario: { initial: { prefix }, clients: operations.map((operation) => [operation]) },
      })),
    ...(profile && {
      unreached: {
        operations: neverSucceeded(Object.keys(resolved().operations), profile),
        pairs: profile.unreached,
      },
    }),
    shrunkStates: ({ prefix }) =>
      prefix.map((_, at) => ({ prefix: prefix.toSpliced(prefix.length - 1 - at, 1) })),
    patterns: [],
    invariants: Object.entries(definition.invariants ?? {}).map(invariantOf),
    ids,
    aborts: ABORTED.filter((code) => expectsCode(code, errors)),
    codes: {},
    expects: (_, response) => isExpected(response, errors),
    unexpected,
    seededBugs: [],
    sources: [file],
  };
}

function isOwnProcess({ service }: ServiceDefinition): boolean {
  return typeof service === "object" && "exec" in service;
}

function neverSucceeded(
  names: readonly string[],
  { successes }: ServiceProfile,
): readonly string[] {
  return names.filter((name) => !successes.some(({ operation }) => operation.name === name));
}

function mergedIds(derived: IdFields, given: IdFields): IdFields {
  const tables = new Set([...Object.keys(derived), ...Object.keys(given)]);
  return Object.fromEntries([...tables].map((of) => [of, { ...derived[of], ...given[of] }]));
}

/** Prefixes are those after which operations are known to succeed, or random ones. */
function scenariosOf(
  { operations }: ResolvedDefinition,
  profile: ServiceProfile | undefined,
  { minClients, maxClients }: Bounds,
) {
  const operation = fc.oneof(
    ...Object.entries(operations).map(([name, one]) => arbitraryOf(name, one)),
  );
  const known = new Map(
    [{ prefix: [] }, ...(profile?.pairs ?? [])].map(({ prefix }) => [
      JSON.stringify(prefix),
      prefix as readonly DefinedOperation[],
    ]),
  );
  const prefixes = [...known.values()].sort((a, b) => a.length - b.length);
  const prefix = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...prefixes) },
    { weight: 1, arbitrary: fc.array(operation, { maxLength: MOST_PREFIX }) },
  );
  return fc.record({
    initial: fc.record({ prefix }),
    clients: fc
      .array(fc.array(operation, { minLength: 1, maxLength: 2 }), {
        minLength: minClients,
        maxLength: maxClients,
      })
      .map((clients) =>
        clients.map((own, at) => (at < MOST_CLIENTS_WITH_TWO ? own : own.slice(0, 1))),
      ),
  });
}

/** Operations that gave way to others; a client is meant to send them again. */
const ABORTED = ["40001", "40P01"];

/**
 * What is wrong with an answer; undefined if it is one that serial orders decide about. The statuses of
 * HTTP from 500 on are another rule's.
 */
function unexpected(
  operation: string,
  { outcome, code, status, body }: Response,
): string | undefined {
  if (status !== undefined || code === NO_ROW) return undefined;
  const message =
    body instanceof Object && "message" in body ? shortMessage(String(body["message"])) : "";
  const what = `${operation} ended with ${code}${message && ` (${message})`}`;
  if (ABORTED.includes(code)) {
    return `${what}: PostgreSQL aborted it in favour of another transaction, and nothing tried again`;
  }
  if (outcome === "info") return `${what}: it got no answer`;
  return /^XX|^5[38]|^[A-Z][a-z]/.test(code)
    ? `${what}, which is no answer of a service`
    : undefined;
}
