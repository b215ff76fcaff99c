import knex from "knex-0.95.11";
import { twoStarts } from "./two-starts.ts";

/** Selects the row, and inserts it if there is none: the race is between the two statements. */
export default twoStarts(knex.knex);
