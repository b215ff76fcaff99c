import type { Command } from "commander";
import fc from "fast-check";
import { HarnessError } from "../core/error.ts";
import { historyOf } from "../core/execution.ts";
import { calls, type Response } from "../core/history.ts";
import { clientOf } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import type { ExecutorOptions } from "../execution/executor-options.ts";
import { CONNECT_ADVICE } from "../explorer/control-sentences.ts";
import { controlFor, DEFAULTS } from "../explorer/defaults.ts";
import { loadService } from "../loading/load-service.ts";
import type { Diagnostic } from "../postgres/doctor.ts";
import { diagnose } from "../postgres/doctor.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { printable, quantity } from "../reporters/format-values.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { EXIT } from "./exit.ts";
import { operationFindings } from "./operation-findings.ts";
import { POSTGRES, SERVICE } from "./options.ts";
import { print } from "./output.ts";
import { configuredService } from "./project.ts";

interface Options {
  readonly postgres: string;
  readonly json?: boolean;
}

/** `heddle doctor`: examines the environment, and executes one scenario of the service serially. */
export function addDoctor(command: Command, finished: (exitCode: number) => void): void {
  command
    .argument("[service]", SERVICE)
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--json", "print the findings as JSON")
    .action(async (service: string | undefined, options: Options) => {
      finished(await runCommand(service, options));
    });
}

async function runCommand(given: string | undefined, options: Options): Promise<number> {
  const findings = await diagnose(options.postgres);
  if (findings.every(({ ok }) => ok)) {
    findings.push(...(await examineService(given, options.postgres)));
  }
  if (options.json) print(`${JSON.stringify(findings, null, 2)}\n`);
  else {
    for (const { name, ok, detail, hint } of findings) {
      print(`${ok ? "ok " : "NO "} ${name}: ${detail}\n`);
      if (!ok && hint !== undefined) print(`     ${hint}\n`);
    }
  }
  return findings.every(({ ok }) => ok) ? EXIT.pass : EXIT.usage;
}

/** The time limit of one step, in ms. */
const STEP_MS = 5_000;

/** Whether Heddle can load the service and control its statements; nothing if there is none. */
async function examineService(given: string | undefined, postgres: string): Promise<Diagnostic[]> {
  const findings: Diagnostic[] = [];
  try {
    const name = given ?? (await configuredService());
    if (name === undefined) return [];
    const service = await loadService(name);
    const kind = service.single ? "scenario" : "service";
    findings.push({ name: kind, ok: true, detail: `${name} is loaded` });
    const server = await startServer(postgres);
    try {
      const limits = { control: controlFor(service), stepTimeoutMs: STEP_MS, signal: undefined };
      if (service.profiled !== undefined) {
        findings.push(...(await operationFindings(server, service, limits)));
      } else {
        const trace = await serialTrace(server, service, limits);
        findings.push(...(service.single ? clientFindings(trace) : [serviceFinding(trace)]));
      }
    } finally {
      await server.stop();
    }
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    findings.push({ name: "service", ok: false, detail: error.message });
  }
  return findings;
}

/** The trace of one scenario without preemptions. */
async function serialTrace(
  server: Server,
  service: Service,
  limits: ExecutorOptions,
): Promise<Trace> {
  const executor = await openExecutor(server, service, undefined, limits);
  try {
    const [scenario] = fc.sample(service.scenarios(DEFAULTS.bounds), { seed: 1, numRuns: 1 });
    if (scenario === undefined) throw new Error("fast-check generated nothing");
    const scheduler = new Exhaustive(0);
    scheduler.begin();
    return (await executor.execute(scenario, scheduler)).trace;
  } finally {
    await executor.close();
  }
}

/** Every client of a scenario has to send statements through the gate. */
function clientFindings(trace: Trace): Diagnostic[] {
  return calls(historyOf(trace)).map(({ client, operation, response }) => {
    const name = `client ${operation.name}`;
    const statements = trace.filter(
      (event) => event.type === "statement" && clientOf(event.task) === client,
    ).length;
    const ended = `ended with ${endOf(response)}`;
    if (statements > 0) {
      return { name, ok: true, detail: `${quantity(statements, "statement")}, ${ended}` };
    }
    const detail = `${ended}, and sent no statement that reached the gate`;
    return { name, ok: false, detail, hint: CONNECT_ADVICE };
  });
}

/** `OK`, or the code and the message of the error that the client ended with. */
function endOf(response: Response | undefined): string {
  const { code = "nothing", body = null } = response ?? {};
  const message = body instanceof Object && "message" in body ? body["message"] : "";
  return message ? `${code}: ${printable(String(message))}` : code;
}

/** Some operations of a service may need no statement; one scenario needs some. */
function serviceFinding(trace: Trace): Diagnostic {
  const operations = quantity(calls(historyOf(trace)).length, "operation");
  const statements = trace.filter(({ type }) => type === "statement").length;
  if (statements > 0) {
    const detail = `${operations} sent ${quantity(statements, "statement")} through the gate`;
    return { name: "gate", ok: true, detail };
  }
  const detail = `${operations} sent no statement that reached the gate`;
  return { name: "gate", ok: false, detail, hint: CONNECT_ADVICE };
}
