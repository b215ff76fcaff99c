/**
 * Where ids stand that a service generates: by what an object is of (a table, a operation, or the
 * property that holds it), then by field; the value names the kind of thing that the id is of.
 * `{ bookings: { id: "booking", slot_id: "slot" }, create: { id: "booking" } }`.
 */
export type IdFields = { readonly [of: string]: { readonly [field: string]: string } };
