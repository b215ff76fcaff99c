import { historyOf } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Trace } from "../core/trace.ts";
import type { Executor } from "../execution/executor.ts";
import type { ExecutorOptions } from "../execution/executor-options.ts";
import { CONNECT_ADVICE } from "../explorer/control-sentences.ts";
import { withProfile } from "../explorer/profiled-service.ts";
import type { Diagnostic } from "../postgres/doctor.ts";
import type { Server } from "../postgres/provider.ts";
import { printable, quantity } from "../reporters/format-values.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { Success } from "../service/serial-probe.ts";
import type { Service } from "../service/service.ts";
import type { ServiceProfile } from "../service/service-profile.ts";
import { oneLine } from "../service/short-message.ts";

/** The longest text of a statement, in characters. */
const MAX_STATEMENT = 60;

/**
 * Executes each operation of a service definition once, after a prefix after which it succeeds, and says
 * what it answered, and which of its statements came to the gate.
 */
export async function operationFindings(
  server: Server,
  given: Service,
  limits: ExecutorOptions,
): Promise<Diagnostic[]> {
  const profiled = await withProfile(server, given, undefined, limits);
  const profile = profiled.profile as unknown as ServiceProfile;
  const executor = await openExecutor(server, profiled.service, undefined, limits);
  try {
    const names = Object.keys(profile.answers);
    const tried: { readonly name: string; readonly success: Success; readonly trace: Trace }[] = [];
    for (const name of names) {
      const success = profile.successes.find(({ operation }) => operation.name === name);
      if (success === undefined) continue;
      tried.push({ name, success, trace: await traceOf(executor, success) });
    }
    // An operation alone may need no database, such as one that says whether the service runs.
    const says = tried.length > 1 || tried.length === names.length;
    const bypassed = says && tried.every(({ trace }) => statementsIn(trace).length === 0);
    const findings = names.map((name) => {
      const found = tried.find((one) => one.name === name);
      return found === undefined
        ? neverSucceeded(name, profile.answers[name] ?? {})
        : findingOf(name, found.success, found.trace, bypassed);
    });
    return [...findings, ...profile.unreached.map(unreachedPair)];
  } finally {
    await executor.close();
  }
}

async function traceOf(
  executor: Executor<Json, Success["operation"]>,
  { prefix, operation }: Success,
): Promise<Trace> {
  const scheduler = new Exhaustive(0);
  scheduler.begin();
  const scenario = { initial: { prefix } as unknown as Json, clients: [[operation]] };
  return (await executor.execute(scenario, scheduler)).trace;
}

function statementsIn(trace: Trace): readonly string[] {
  return trace.flatMap((event) =>
    event.type === "statement" ? printable(oneLine(event.statement.sql), MAX_STATEMENT) : [],
  );
}

/** @param bypassed whether no operation sent a statement that reached the gate */
function findingOf(name: string, { prefix }: Success, trace: Trace, bypassed: boolean): Diagnostic {
  const [call] = calls(historyOf(trace));
  const before = prefix.length === 0 ? "" : ` after ${prefix.map((one) => one.name).join(", ")}`;
  const answered = `answered ${call?.response?.code ?? "nothing"}${before}`;
  const statements = statementsIn(trace);
  const finding = { name: `operation ${name}` };
  if (statements.length > 0) {
    const sent = `${quantity(statements.length, "statement")}: ${statements.join("; ")}`;
    return { ...finding, ok: true, detail: `${answered}; ${sent}` };
  }
  const detail = `${answered}, and sent no statement that reached the gate`;
  return bypassed
    ? { ...finding, ok: false, detail, hint: CONNECT_ADVICE }
    : { ...finding, ok: true, detail };
}

/** No error: there may be no such state. */
function unreachedPair(name: string): Diagnostic {
  const detail = "no state was reached in which both succeed, so the pair is not searched";
  return { name: `pair ${name}`, ok: true, detail };
}

function neverSucceeded(name: string, answers: { readonly [code: string]: number }): Diagnostic {
  const codes = Object.entries(answers).map(([code, count]) => `${code} ${count} times`);
  const isRefused = codes.length > 0 && Object.keys(answers).every((code) => /^40[13]$/.test(code));
  return {
    name: `operation ${name}`,
    ok: false,
    detail: `never succeeded; answered ${codes.join(", ") || "nothing"}`,
    hint: isRefused
      ? "say who sends it: with `headers`, or with `as` and the headers of that name in `identities`"
      : "give it arguments that the service accepts, and the setup or other operations the rows that it needs",
  };
}
