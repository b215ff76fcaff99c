import knex from "knex-0.95.11";
import { twoStarts } from "./two-starts.ts";

/** Asks whether there is a row, and then inserts one: caught between the two statements. */
export default twoStarts(knex.knex);
