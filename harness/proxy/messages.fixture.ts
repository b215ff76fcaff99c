/** Builds messages of the PostgreSQL protocol, as drivers and the server send them. */

export function message(type: string, ...fields: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(fields.map((field) => Buffer.from(field)));
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

/** A startup packet. The parameters are names and values in turn. */
export function startup(...parameters: string[]): Buffer {
  return untyped(196608, ...parameters.map((text) => `${text}\0`), "\0");
}

/** A first packet, which has a code and no type. */
export function untyped(code: number, ...fields: (Buffer | string)[]): Buffer {
  const body = Buffer.concat([int32(code), ...fields.map((field) => Buffer.from(field))]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const query = (sql: string): Buffer => message("Q", `${sql}\0`);
export const parse = (name: string, sql: string): Buffer =>
  message("P", `${name}\0${sql}\0`, int16(0));
export const execute = (portal = "", rows = 0): Buffer => message("E", `${portal}\0`, int32(rows));
export const sync: Buffer = message("S");
export const flush: Buffer = message("H");
export const terminate: Buffer = message("X");

/** @param formats 0 for text, 1 for binary; none, one for all values, or one for each */
export function bind(
  statement: string,
  values: readonly (Buffer | string | null)[] = [],
  { portal = "", formats = [] as readonly number[] } = {},
): Buffer {
  const parameters = values.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = Buffer.from(value);
    return [int32(bytes.length), bytes];
  });
  return message(
    "B",
    `${portal}\0${statement}\0`,
    int16(formats.length),
    ...formats.map(int16),
    int16(values.length),
    ...parameters,
    int16(0),
  );
}
