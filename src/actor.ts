/** Who sends a request: a customer, a vendor (by the provider's id), or a machine such as the gateway. */
export interface Actor {
  readonly role: "customer" | "vendor" | "system";
  readonly id: string;
}

/** As the database's functions take it: `customer:7`. */
export function actorText({ role, id }: Actor): string {
  return `${role}:${id}`;
}

/** Of a text such as `customer:7`; undefined if it is none. */
export function parseActor(text: string): Actor | undefined {
  const [, role, id] = /^(customer|vendor|system):(.{1,200})$/su.exec(text) ?? [];
  if (role === undefined || id === undefined) return undefined;
  return { role: role as Actor["role"], id };
}
