/** The server of tests that run on any: the embedded one, unless HEDDLE_TEST_POSTGRES names another. */
export const testPostgres = process.env["HEDDLE_TEST_POSTGRES"] ?? "embedded";
