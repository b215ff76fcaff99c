import { examine } from "../postgres/doctor.ts";
import { EXIT } from "./exit-code.ts";

/** `heddle doctor`: what is available here, and why not. */
export async function doctorCommand(options: {
  readonly postgres: string;
  readonly json?: boolean;
}): Promise<number> {
  const findings = await examine(options.postgres);
  if (options.json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else {
    for (const { name, ok, detail, hint } of findings) {
      process.stdout.write(`${ok ? "ok " : "NO "} ${name}: ${detail}\n`);
      if (!ok && hint !== undefined) process.stdout.write(`     ${hint}\n`);
    }
  }
  return findings.every(({ ok }) => ok) ? EXIT.pass : EXIT.usage;
}
