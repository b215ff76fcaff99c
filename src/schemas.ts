const MAX_BIGINT = 9223372036854775807n;

/** Formats beyond those of JSON Schema, for Ajv. */
export const formats = {
  /** A positive bigint in decimal. */
  id: (text: string) => /^[1-9]\d{0,18}$/.test(text) && BigInt(text) <= MAX_BIGINT,
};

/** Options of Ajv. The schemas are not validated at each start, which takes long; tests do so. */
export const ajvOptions = { meta: false, validateSchema: false };

const idText = { type: "string", format: "id" };

/** In bodies an id may also be a number, within the range in which JSON numbers are exact. */
const id = {
  anyOf: [idText, { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER }],
};

const time = { type: "string", format: "date-time" };

/** A text that Postgres can store: without NUL and lone surrogates. */
function text(maxLength: number, minLength = 0) {
  return { type: "string", minLength, maxLength, pattern: "^[^\\u0000\\ud800-\\udfff]*$" };
}

const name = text(200, 1);

function body(properties: object, required: readonly string[] = []) {
  return { type: "object", properties, required, additionalProperties: false };
}

const params = { type: "object", properties: { id: idText }, required: ["id"] };

/** The schemas of each route's parameters and body. */
export const schemas = {
  create: {
    body: body(
      {
        providerId: id,
        startAt: time,
        endAt: time,
        customerId: name,
        customerName: name,
        notes: text(2000),
        idempotencyKey: name,
        paymentIntentId: name,
        createdBy: { enum: ["customer", "vendor"] },
      },
      ["providerId", "startAt", "endAt", "customerId", "customerName"],
    ),
  },
  checkout: { params, body: body({}) },
  confirm: { params, body: body({ paymentIntentId: name }, ["paymentIntentId"]) },
  cancel: { params, body: body({}) },
  reschedule: { params, body: body({ slotId: id }, ["slotId"]) },
  booking: { params },
  slots: { params },
  webhook: {
    body: body(
      { type: { enum: ["payment.captured", "payment.declined"] }, intent: name, bookingId: id },
      ["type", "intent", "bookingId"],
    ),
  },
  refunds: { body: body({}) },
};
