import knex from "knex-0.95.12";
import { twoStarts } from "./two-starts.ts";

/**
 * Does both in one statement, `insert … select … where not exists`. The race is inside the statement:
 * with `--gates statement` it is not seen.
 */
export default twoStarts(knex.knex);
