/** The server for tests of any provider: HEDDLE_TEST_POSTGRES, else the embedded one. */
export const testPostgres = process.env["HEDDLE_TEST_POSTGRES"] ?? "embedded";
