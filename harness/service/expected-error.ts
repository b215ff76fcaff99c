import type { Response } from "../core/history.ts";
import { isText } from "./definition-members.ts";
import type { ExpectedError } from "./scenario-definition.ts";
import { shortMessage } from "./short-message.ts";

/** Whether a definition expects an answer. */
export function isExpected(response: Response, errors: readonly ExpectedError[]): boolean {
  const { code } = response;
  const text = messageOf(response);
  const lines = text.split("\n").map((line) => line.trim());
  const texts = [code, CONDITIONS.get(code), text, shortMessage(text), ...lines];
  return errors.some((error) =>
    // Unlike `test`, `search` keeps no position.
    error instanceof RegExp ? text.search(error) >= 0 : error !== "" && texts.includes(error),
  );
}

/** Whether a definition expects a SQLSTATE. */
export function expectsCode(code: string, errors: readonly ExpectedError[]): boolean {
  return [code, CONDITIONS.get(code)].some((name) => name !== undefined && errors.includes(name));
}

/** The message of an answer; the whole body where it has none. */
export function messageOf({ body }: Response): string {
  if (body instanceof Object && "message" in body && isText(body["message"]))
    return body["message"];
  if (isText(body)) return body;
  return body === null ? "" : JSON.stringify(body);
}

/**
 * The conditions that concurrency, limits and constraints bring about, by SQLSTATE
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const CONDITIONS: ReadonlyMap<string, string> = new Map([
  ["08000", "connection_exception"],
  ["08003", "connection_does_not_exist"],
  ["08006", "connection_failure"],
  ["21000", "cardinality_violation"],
  ["22001", "string_data_right_truncation"],
  ["22003", "numeric_value_out_of_range"],
  ["22012", "division_by_zero"],
  ["22023", "invalid_parameter_value"],
  ["22P02", "invalid_text_representation"],
  ["23000", "integrity_constraint_violation"],
  ["23001", "restrict_violation"],
  ["23502", "not_null_violation"],
  ["23503", "foreign_key_violation"],
  ["23505", "unique_violation"],
  ["23514", "check_violation"],
  ["23P01", "exclusion_violation"],
  ["25001", "active_sql_transaction"],
  ["25006", "read_only_sql_transaction"],
  ["25P02", "in_failed_sql_transaction"],
  ["25P03", "idle_in_transaction_session_timeout"],
  ["27000", "triggered_data_change_violation"],
  ["2BP01", "dependent_objects_still_exist"],
  ["40000", "transaction_rollback"],
  ["40001", "serialization_failure"],
  ["40003", "statement_completion_unknown"],
  ["40P01", "deadlock_detected"],
  ["42501", "insufficient_privilege"],
  ["42701", "duplicate_column"],
  ["42703", "undefined_column"],
  ["42704", "undefined_object"],
  ["42710", "duplicate_object"],
  ["42723", "duplicate_function"],
  ["42883", "undefined_function"],
  ["42P01", "undefined_table"],
  ["42P04", "duplicate_database"],
  ["42P06", "duplicate_schema"],
  ["42P07", "duplicate_table"],
  ["44000", "with_check_option_violation"],
  ["53100", "disk_full"],
  ["53200", "out_of_memory"],
  ["53300", "too_many_connections"],
  ["54000", "program_limit_exceeded"],
  ["55000", "object_not_in_prerequisite_state"],
  ["55006", "object_in_use"],
  ["55P03", "lock_not_available"],
  ["57014", "query_canceled"],
  ["57P01", "admin_shutdown"],
  ["57P02", "crash_shutdown"],
  ["57P03", "cannot_connect_now"],
  ["57P05", "idle_session_timeout"],
  ["P0001", "raise_exception"],
  ["P0002", "no_data_found"],
  ["P0003", "too_many_rows"],
  ["P0004", "assert_failure"],
  ["XX000", "internal_error"],
]);
