/** Tells the schema from an application's that has the same name. */
export const OWN_SCHEMA_COMMENT = "Made by Heddle, and disposable";

/** Makes the schema in which all stands that the harness needs in a disposable database. */
export const CREATE_OWN_SCHEMA = `
  create schema if not exists heddle;
  comment on schema heddle is '${OWN_SCHEMA_COMMENT}';
  grant usage on schema heddle to public`;
