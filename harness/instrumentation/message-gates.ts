import { memoize } from "../parser/memoize.ts";
import {
  isParseNode,
  loadParser,
  type ParseNode,
  statementRanges,
  statementType,
} from "../parser/sql.ts";
import type { GateKind } from "./gate-kind.ts";

/**
 * A gate between the statements of one message. The proxy sends each statement of a simple query as
 * Parse, Bind and Execute, and one Sync at the end, which keeps them in one implicit transaction; a
 * batch of the extended protocol is sent up to each of its Executes.
 */
export const messageGates: GateKind = {
  name: "message",
  install: async (_, first) => {
    await loadParser();
    return {
      places: [{ of: "the message", line: null, next: "its next statement" }],
      wire: { message: { place: first, split: splitMessage } },
    };
  },
  remove: async () => {},
};

/** The statements that behave differently where several are sent in one message, outside of a block. */
const UNLIKE_IN_IMPLICIT_BLOCK = new Set([
  ...["LockStmt", "DeclareCursorStmt", "CallStmt", "DoStmt", "VacuumStmt", "ClusterStmt"],
  ...["ReindexStmt", "CreatedbStmt", "DropdbStmt", "AlterSystemStmt", "DiscardStmt"],
  ...["CreateTableSpaceStmt", "DropTableSpaceStmt", "CreateSubscriptionStmt"],
  ...["AlterSubscriptionStmt", "DropSubscriptionStmt", "AlterDatabaseStmt"],
]);

/** Executions send the same texts. */
const rangesOf = memoize((sql: string) => ({ ranges: statementRanges(sql) }));

/**
 * The statements of a simple query, each preceded by as many blanks as there are characters before it,
 * so that an error has the same position. Undefined for a message that has to stay whole: with a single
 * statement, with a COPY, or with a statement that behaves differently if it is sent by itself.
 *
 * @param inBlock whether the session is in a transaction block
 */
function splitMessage(sql: string, inBlock: boolean): readonly string[] | undefined {
  const { ranges } = rangesOf(sql);
  if (ranges === undefined || ranges.length < 2) return undefined;
  let block = inBlock;
  for (const { statement } of ranges) {
    const type = statementType(statement);
    const node = statement[type];
    if (!isParseNode(node) || staysWhole(type, node, block)) return undefined;
    if (type === "TransactionStmt") block = /BEGIN|START/.test(String(node["kind"]));
  }
  return ranges.map(
    ({ start, end }) => sql.slice(0, start).replace(/\S/gu, " ") + sql.slice(start, end),
  );
}

function staysWhole(type: string, node: ParseNode, block: boolean): boolean {
  if (type === "CopyStmt" || JSON.stringify(node).includes('"ParamRef"')) return true;
  if (type === "TransactionStmt") {
    const plain = /^TRANS_STMT_(BEGIN|START|COMMIT|ROLLBACK)$/.test(String(node["kind"]));
    return node["chain"] === true || !plain;
  }
  if (block) return false;
  if (type === "VariableSetStmt")
    return node["is_local"] === true || /TRANSACTION|transaction/.test(JSON.stringify(node));
  return UNLIKE_IN_IMPLICIT_BLOCK.has(type) || node["concurrent"] === true;
}
