import fc from "fast-check";
import { HarnessError } from "../core/error.ts";
import { historyOf } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import { clientOf } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import { ELSEWHERE } from "../explorer/bypassed-gate.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { loadScenario } from "../loading/load-service.ts";
import type { Diagnostic } from "../postgres/doctor.ts";
import { startServer } from "../postgres/provider.ts";
import { counted } from "../reporters/counted.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";

/** How long a client may take to send its next statement, or to end. */
const STEP_MS = 5_000;

/** Whether what a scenario runs can be driven: its clients run once, one after the other. */
export async function examineScenario(path: string, postgres: string): Promise<Diagnostic[]> {
  const findings: Diagnostic[] = [];
  try {
    const service = await loadScenario(path);
    findings.push({ name: "scenario", ok: true, detail: `${path} is loaded` });
    findings.push(...clientFindings(await traceOf(service, postgres)));
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    findings.push({ name: "scenario", ok: false, detail: error.message });
  }
  return findings;
}

async function traceOf(service: Service, postgres: string): Promise<Trace> {
  const server = await startServer(postgres);
  try {
    const options = { control: DEFAULTS.control, stepTimeoutMs: STEP_MS, signal: undefined };
    const executor = await openExecutor(server, service, undefined, options);
    try {
      const [scenario] = fc.sample(service.scenarios(DEFAULTS.bounds), 1);
      if (scenario === undefined) throw new Error("fast-check generated nothing");
      const search = new Exhaustive(0);
      search.begin();
      return (await executor.execute(scenario, search)).trace;
    } finally {
      await executor.close();
    }
  } finally {
    await server.stop();
  }
}

function clientFindings(trace: Trace): Diagnostic[] {
  return calls(historyOf(trace)).map(({ client, operation, response }) => {
    const name = `client ${operation.name}`;
    const statements = trace.filter(
      (event) => event.type === "statement" && clientOf(event.task) === client,
    ).length;
    const ended = `ended with ${response?.code ?? "nothing"}`;
    if (statements > 0)
      return { name, ok: true, detail: `${counted(statements, "statement")}, ${ended}` };
    const detail = `${ended}, and sent no statement that came to the gate`;
    return { name, ok: false, detail, hint: ELSEWHERE };
  });
}
