/** What was found out about one thing that a provider needs. */
export interface Diagnostic {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, where the detail does not say it. */
  readonly hint?: string;
}

/** Adds what came of `look`; what it throws is the detail of a finding that is not ok. */
export async function probe<T>(
  findings: Diagnostic[],
  name: string,
  look: () => Promise<{ readonly value: T; readonly detail: string }>,
  hint?: string,
): Promise<T | undefined> {
  try {
    const { value, detail } = await look();
    findings.push({ name, ok: true, detail });
    return value;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    findings.push({ name, ok: false, detail, ...(hint !== undefined && { hint }) });
    return undefined;
  }
}
