import { diagnose } from "../postgres/doctor.ts";
import { examineScenario } from "./examine-scenario.ts";
import { EXIT } from "./exit-code.ts";

export interface DoctorOptions {
  readonly postgres: string;
  readonly json?: boolean;
}

/** `heddle doctor`: what is available here, and why not; and whether a scenario can be driven. */
export async function doctorCommand(
  scenario: string | undefined,
  options: DoctorOptions,
): Promise<number> {
  const diagnostics = await diagnose(options.postgres);
  if (scenario !== undefined && diagnostics.every(({ ok }) => ok)) {
    diagnostics.push(...(await examineScenario(scenario, options.postgres)));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(diagnostics, null, 2)}\n`);
  else {
    for (const { name, ok, detail, hint } of diagnostics) {
      process.stdout.write(`${ok ? "ok " : "NO "} ${name}: ${detail}\n`);
      if (!ok && hint !== undefined) process.stdout.write(`     ${hint}\n`);
    }
  }
  return diagnostics.every(({ ok }) => ok) ? EXIT.pass : EXIT.usage;
}
