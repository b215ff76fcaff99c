import { type ParseNode, parseStatements, statementType } from "../parser/sql.ts";
import type { Spec, SpecSession, SpecStep } from "./spec.ts";

const BEGIN_KINDS = ["TRANS_STMT_BEGIN", "TRANS_STMT_START"];
const END_KINDS = ["TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"];

/** Types of statements that cannot change a table, an index or a routine, only rows and settings. */
const KEEPS_SCHEMA = [
  ...["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "TruncateStmt"],
  ...["TransactionStmt", "ConstraintsSetStmt", "LockStmt", "DoStmt", "CallStmt", "ExplainStmt"],
  ...["VariableSetStmt", "VariableShowStmt", "DiscardStmt", "CheckPointStmt"],
  ...["PrepareStmt", "ExecuteStmt", "DeallocateStmt"],
  ...["DeclareCursorStmt", "FetchStmt", "ClosePortalStmt"],
  ...["ListenStmt", "UnlistenStmt", "NotifyStmt"],
];

/**
 * Groups a session's steps by transaction. A step outside transactions is a group of its own.
 * The parser must be loaded.
 */
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

/** The first step of a spec that may change the schema, if there is one. The parser must be loaded. */
export function schemaChange({ sessions }: Spec): SpecStep | undefined {
  const around = sessions.flatMap(({ setup = "", teardown = "" }, session) => [
    { name: "setup", sql: setup, session },
    { name: "teardown", sql: teardown, session },
  ]);
  const all = [...around, ...sessions.flatMap(({ steps }) => steps)];
  return all.find(({ sql }) =>
    statementsOf(sql).some((it) => !KEEPS_SCHEMA.includes(statementType(it))),
  );
}

function openAfter(sql: string, before: boolean): boolean {
  return statementsOf(sql).reduce((open, statement) => {
    const { kind, chain } = (statement["TransactionStmt"] ?? {}) as ParseNode;
    if (BEGIN_KINDS.includes(String(kind))) return true;
    return END_KINDS.includes(String(kind)) ? chain === true : open;
  }, before);
}

/** Empty for SQL with a syntax error, which the server rejects as well. */
function statementsOf(sql: string): readonly ParseNode[] {
  return parseStatements(sql) ?? [];
}
