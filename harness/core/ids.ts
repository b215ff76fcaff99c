/**
 * The fields that hold generated ids: by the table, operation or property that an object belongs to,
 * then by field; the value names the kind of object that the id identifies.
 * `{ bookings: { id: "booking", slot_id: "slot" }, create: { id: "booking" } }`.
 */
export type IdFields = { readonly [of: string]: { readonly [field: string]: string } };
