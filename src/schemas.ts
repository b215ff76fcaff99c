const MAX_BIGINT = 9223372036854775807n;

/** Formats that JSON Schema lacks, for the validator's options. */
export const formats = {
  /** A positive bigint in decimal. */
  id: (text: string) => /^[1-9]\d{0,18}$/.test(text) && BigInt(text) <= MAX_BIGINT,
};

/**
 * More options of the validator. That these schemas are schemas is tried by tests; to check it at
 * each start takes longer than the rest of it.
 */
export const ajvOptions = { meta: false, validateSchema: false };

const idText = { type: "string", format: "id" };

/** In bodies an id may be a number as well, as far as a JSON number is exact. */
const id = {
  anyOf: [idText, { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER }],
};

const time = { type: "string", format: "date-time" };

/** A text that Postgres can hold: it has no NUL. */
function text(maxLength: number, minLength = 0) {
  return { type: "string", minLength, maxLength, pattern: "^[^\\u0000]*$" };
}

const name = text(200, 1);

function body(properties: object, required: readonly string[] = []) {
  return { type: "object", properties, required, additionalProperties: false };
}

const params = { type: "object", properties: { id: idText }, required: ["id"] };

/** What each route accepts. */
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
