import type { Isolation } from "../../harness/core/control.ts";

/** How a client sends its messages. */
export type Protocol = "simple" | "extended";

/** A small scenario whose outcomes are compared: plain data. */
export interface InclusionCase {
  readonly isolation: Isolation;
  /** Statements that define the schema, in order. */
  readonly setup: readonly string[];
  readonly clients: readonly InclusionClient[];
}

export interface InclusionClient {
  readonly protocol: Protocol;
  /** Each is sent when the one before it was answered. An error ends the client. */
  readonly messages: readonly string[];
}

/** A place inside one statement that no gate controls yet. */
interface KnownGap {
  readonly name: string;
  readonly in: RegExp;
}

/**
 * What is known to be missing: a missed outcome of a case with one of these is counted apart. The list is
 * printed with every result.
 */
export const KNOWN_GAPS: readonly KnownGap[] = [
  { name: "an exclusion constraint", in: /exclude using/ },
  {
    name: "the time between two look-ups of one CREATE",
    in: /create (table|schema|sequence|index) if not exists|create table da/,
  },
];

/** The first known gap that a case meets; undefined if it meets none. */
export function knownGapOf({ setup, clients }: InclusionCase): string | undefined {
  const texts = [...setup, ...clients.flatMap(({ messages }) => messages)].join("\n");
  return KNOWN_GAPS.find((gap) => gap.in.test(texts))?.name;
}

/** The case as a file for `heddle run`, which prints what each interleaving does. */
export function scenarioFileOf({ isolation, setup, clients }: InclusionCase): string {
  const lines = clients.map(({ protocol, messages }, client) => {
    const texts = messages.map((text) => `\n      ${JSON.stringify(text)},`).join("");
    return `    client${client}: run("${protocol}", [${texts}\n    ]),`;
  });
  return `// Run it with: heddle run FILE --gates all --isolation ${isolation.replace(" ", "-")} --strategy exhaustive --preemptions all
import { defineScenario } from "heddle";
import pg from "pg";

const run = (queryMode, messages) => async ({ url }) => {
  const db = new pg.Client(url);
  await db.connect();
  try {
    const answers = [];
    for (const text of messages) {
      answers.push(...[await db.query(queryMode === "extended" ? { text, queryMode } : text)].flat().map(({ rows }) => rows));
    }
    return answers;
  } finally {
    await db.end();
  }
};

export default defineScenario({
  setup: ${JSON.stringify(setup, null, 2)}.join(";\\n"),
  clients: {
${lines.join("\n")}
  },
});
`;
}
