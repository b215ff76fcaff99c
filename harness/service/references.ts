import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import { type AnswerIds, answeredIds } from "./answer-ids.ts";
import type { DefinedOperation } from "./operation-definition.ts";
import { type ReferencedRows, resolved } from "./row-reference.ts";

/** What the row references of an execution's operations stand for: rows before it, and ids in answers. */
export class References {
  readonly #rows: ReferencedRows;
  readonly #ids: IdFields;
  /** By client: the ids in the answers that it got. */
  readonly #own = new Map<number, AnswerIds>();

  /**
   * @param rows those before the clients began
   * @param ids the fields that hold generated ids
   */
  constructor(rows: ReferencedRows, ids: IdFields) {
    this.#rows = rows;
    this.#ids = ids;
  }

  /** The operation with ids in place of references, as the client sends it; undefined if a row is missing. */
  resolve(operation: DefinedOperation, client: number): DefinedOperation | undefined {
    return resolved(operation, this.#rows, (column) => this.#own.get(client)?.ofColumn(column));
  }

  /** A client has got an answer: its later operations may refer to the ids in it. */
  learn(client: number, operation: DefinedOperation, { outcome, body }: Response): void {
    if (outcome !== "ok") return;
    const answered = answeredIds(body, operation.name, this.#ids);
    this.#own.set(client, this.#own.get(client)?.and(answered) ?? answered);
  }
}
