/** Distinguishes Heddle's schema from one of the same name in an application. */
export const OWN_SCHEMA_COMMENT = "Made by Heddle, and disposable";

/** Creates the schema for everything that the harness needs in a disposable database. */
export const CREATE_OWN_SCHEMA = `
  create schema if not exists heddle;
  comment on schema heddle is '${OWN_SCHEMA_COMMENT}';
  grant usage on schema heddle to public`;
