import { loadModule, parseSync } from "libpg-query";
import type { Spec, SpecSession, SpecStep } from "./spec.ts";

/** A statement as PostgreSQL's parser gives it: its type, and what belongs to that. */
type Parsed = readonly [type: string, fields: { readonly [name: string]: unknown }];

const BEGINS = ["TRANS_STMT_BEGIN", "TRANS_STMT_START"];
const ENDS = ["TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"];

/** Statements that leave every table, index and routine as it is, whatever they do to rows. */
const FOR_ROWS = [
  ...["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "TruncateStmt"],
  ...["TransactionStmt", "ConstraintsSetStmt", "LockStmt", "DoStmt", "CallStmt", "ExplainStmt"],
  ...["VariableSetStmt", "VariableShowStmt", "DiscardStmt", "CheckPointStmt"],
  ...["PrepareStmt", "ExecuteStmt", "DeallocateStmt"],
  ...["DeclareCursorStmt", "FetchStmt", "ClosePortalStmt"],
  ...["ListenStmt", "UnlistenStmt", "NotifyStmt"],
];

/** PostgreSQL's parser, which has to be loaded before the functions below are called. */
export async function loadParser(): Promise<void> {
  await loadModule();
}

/** A session's steps, cut where a transaction has ended; steps outside of any stand alone. */
export function transactionsOf({ setup = "", steps }: SpecSession): SpecStep[][] {
  const transactions: SpecStep[][] = [];
  let open = openAfter(setup, false);
  let current: SpecStep[] = [];
  for (const step of steps) {
    current.push(step);
    open = openAfter(step.sql, open);
    if (open) continue;
    transactions.push(current);
    current = [];
  }
  return current.length > 0 ? [...transactions, current] : transactions;
}

/** The first step of a spec that may change the schema; undefined if none does. */
export function schemaChange({ sessions }: Spec): SpecStep | undefined {
  const around = sessions.flatMap(({ setup = "", teardown = "" }, session) => [
    { name: "setup", sql: setup, session },
    { name: "teardown", sql: teardown, session },
  ]);
  const all = [...around, ...sessions.flatMap(({ steps }) => steps)];
  return all.find(({ sql }) => parsed(sql).some(([type]) => !FOR_ROWS.includes(type)));
}

function openAfter(sql: string, before: boolean): boolean {
  return parsed(sql).reduce((open, [type, { kind, chain }]) => {
    if (type !== "TransactionStmt") return open;
    if (BEGINS.includes(String(kind))) return true;
    return ENDS.includes(String(kind)) ? chain === true : open;
  }, before);
}

/** Nothing, for what the server will refuse as well. */
function parsed(sql: string): Parsed[] {
  try {
    return (parseSync(sql).stmts ?? []).map(({ stmt = {} }) => {
      const [[type, fields] = ["", {}]] = Object.entries(stmt);
      return [type, fields as Parsed[1]];
    });
  } catch {
    return [];
  }
}
