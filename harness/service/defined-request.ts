import { HarnessError } from "../core/error.ts";
import type { Response } from "../core/history.ts";
import { isRecord } from "./definition-members.ts";
import { argumentsOf, type DefinedOperation } from "./operation-definition.ts";
import type { Headers, ServiceDefinition } from "./service-definition.ts";

/**
 * The response with the code that its body names. For a model, it is unknown whether an operation took effect
 * after a 5xx, and after the end of its statement or its session (class 57).
 */
export function answered(response: Response, { code: field, model }: ServiceDefinition): Response {
  const { status, body } = response;
  if (status === undefined) {
    return model && /^57/.test(response.code) ? { ...response, outcome: "info" } : response;
  }
  const named = field !== undefined && isRecord(body) ? body[field] : undefined;
  const code = typeof named === "string" ? named : response.code;
  return { ...response, code, ...(model && status >= 500 && { outcome: "info" }) };
}

/** The headers of an operation's sender. */
export async function identityOf(
  { identities }: ServiceDefinition,
  operation: DefinedOperation,
  client: number,
): Promise<Headers> {
  const { as, values } = argumentsOf(operation);
  if (as === undefined || identities === undefined) return {};
  const identity = typeof identities === "function" ? identities : identities[as];
  if (identity === undefined) {
    throw new HarnessError(
      "USAGE",
      `the operation "${operation.name}" is sent as "${as}", and \`identities\` has no such name`,
    );
  }
  return typeof identity === "function" ? identity(as, { client, values }) : identity;
}
