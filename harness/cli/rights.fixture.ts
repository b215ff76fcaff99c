/*
 * What each command does with each role of a server that is given by its URL. docs/security.md has this as
 * a table, and rights.pg.test.ts tries every cell.
 */

export const ROLES = ["superuser", "CREATEDB alone", "owner of one database"] as const;

type Role = (typeof ROLES)[number];

/** What a command does: its exit code, and what it says. */
interface Outcome {
  /** The cell of the table. */
  readonly cell: string;
  readonly code: number;
  /** What stderr or stdout has, with white space as one blank. */
  readonly says?: RegExp;
}

export interface RightsRow {
  /** The first cell of the row. */
  readonly what: string;
  /** `FILE` stands for a replay file, `URL` for that of the role. */
  readonly args: readonly string[];
  readonly outcomes: { readonly [role in Role]: Outcome };
}

const works = (code = 0): Outcome => ({ cell: "works", code });
const NEEDS_CREATEDB: Outcome = {
  cell: "needs CREATEDB",
  code: 2,
  says: /may not create databases at .* ALTER ROLE "owner" CREATEDB/,
};

/** A command that makes databases of its own, and needs no other right. */
function inDatabases(what: string, args: readonly string[], code = 0): RightsRow {
  const outcomes = {
    superuser: works(code),
    "CREATEDB alone": works(code),
    "owner of one database": NEEDS_CREATEDB,
  };
  return { what, args, outcomes };
}

/** A command that works in a database that is there. */
function inOneDatabase(what: string, args: readonly string[], superuser: Outcome): RightsRow {
  const outcomes = {
    superuser,
    "CREATEDB alone": works(),
    "owner of one database": works(),
  };
  return { what, args, outcomes };
}

const RACE = ["race.mjs", "--seed", "1", "--runs", "5", "--postgres", "URL"];
const SAFE = ["safe.mjs", "--seed", "1", "--runs", "2", "--postgres", "URL"];
const TICKETS = ["tickets.ts", "--postgres", "URL"];
const STARTED_BY_HEDDLE: Outcome = {
  cell: "needs a server that Heddle starts",
  code: 2,
  says: /--postgres embedded or container for faults of the server/,
};

export const RIGHTS: readonly RightsRow[] = [
  inDatabases("`verify` of a scenario file, or of a definition with `scenarios`", [
    ...["verify", "own.mjs", "--seed", "1", "--runs", "5", "--postgres", "URL"],
  ]),
  {
    what: "`verify` of a definition without `scenarios`",
    args: ["verify", "derived.mjs", "--seed", "1", "--runs", "5", "--postgres", "URL"],
    outcomes: {
      superuser: works(),
      "CREATEDB alone": {
        cell: "needs a superuser",
        code: 2,
        says: /is no superuser, .* give the definition `scenarios`/,
      },
      "owner of one database": NEEDS_CREATEDB,
    },
  },
  inDatabases("`run`", ["run", ...SAFE]),
  inDatabases("`run --faults all`", ["run", ...RACE, "--faults", "all"], 1),
  {
    what: "`run --faults server`",
    args: ["run", ...SAFE, "--faults", "server"],
    outcomes: {
      superuser: STARTED_BY_HEDDLE,
      "CREATEDB alone": STARTED_BY_HEDDLE,
      "owner of one database": STARTED_BY_HEDDLE,
    },
  },
  inDatabases("gates `routine`, `row`, `commit`, `snapshot`, `message`", [
    "run",
    ...SAFE,
    "--gates",
    "routine,row,commit,snapshot,message",
  ]),
  {
    what: "gates `definition`",
    args: ["run", ...SAFE, "--gates", "definition"],
    outcomes: {
      superuser: works(),
      "CREATEDB alone": {
        cell: "left out; Heddle and the report say so",
        code: 0,
        says: /need a superuser, and are left out/,
      },
      "owner of one database": NEEDS_CREATEDB,
    },
  },
  inDatabases("`replay`", ["replay", "FILE", "--postgres", "URL"], 1),
  {
    what: "`replay --export`",
    args: ["replay", "FILE", "--export", "exported", "--postgres", "URL"],
    outcomes: {
      superuser: works(1),
      "CREATEDB alone": {
        cell: "needs a superuser",
        code: 2,
        says: /an export needs a superuser/,
      },
      "owner of one database": NEEDS_CREATEDB,
    },
  },
  inDatabases(
    "`regressions --replay`",
    ["regressions", "race.mjs", "--replay", "--postgres", "URL"],
    1,
  ),
  inDatabases("`mutants`", [
    "mutants",
    ...TICKETS,
    "--runs",
    "10",
    "--replays",
    "1",
    "--seed",
    "1",
  ]),
  inDatabases(
    "`mutants --derived`",
    ["mutants", ...TICKETS, "--derived", "--only", "strip-lock", "--runs", "5"],
    1,
  ),
  inDatabases("`layers`", ["layers", ...TICKETS, "--preemptions", "0"]),
  inDatabases("`spec`", ["spec", "one.spec", "--postgres", "URL"]),
  inDatabases("`doctor`", ["doctor", "safe.mjs", "--postgres", "URL"]),
  inOneDatabase("`audit`", ["audit", "--database-url", "URL"], {
    cell: "needs `--check`",
    code: 2,
    says: /the role is a superuser.*--check/,
  }),
  inOneDatabase(
    "`audit --check`",
    ["audit", "--check", "verify", "--database-url", "URL"],
    works(),
  ),
  inOneDatabase(
    "`attack --database-url`",
    ["attack", "--service", "tickets.ts", "--iterations", "1", "--database-url", "URL"],
    works(),
  ),
];

/** `heddle proxy` runs until a signal ends it, so it has a test of its own. */
export const PROXY: RightsRow = {
  what: "`proxy`",
  args: ["proxy", "--database-url", "URL"],
  outcomes: {
    superuser: { cell: "works, and warns of the role", code: 0, says: /is a superuser/ },
    "CREATEDB alone": works(),
    "owner of one database": works(),
  },
};

/** The commands that use no server. */
export const WITHOUT_SERVER: readonly string[] =
  "regressions accept report verify-evidence record init".split(" ");

/** The table of docs/security.md. */
export function rightsTable(): string {
  const lines = [...RIGHTS, PROXY].map(({ what, outcomes }) => [
    what,
    ...ROLES.map((role) => outcomes[role].cell),
  ]);
  return [["with the role of the URL", ...ROLES], ["---", ...ROLES.map(() => "---")], ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
