import type { Provenance } from "../explorer/campaign.ts";
import { environmentOf, hashSources } from "../explorer/provenance.ts";
import type { Server } from "../postgres/provider.ts";
import type { Service } from "../service/service.ts";

/** When, where and of what a model's mutants are tried. */
export async function provenanceOf(
  server: Server,
  { sources }: Pick<Service, "sources">,
): Promise<Provenance> {
  const startedAt = new Date().toISOString();
  const { lockWaits, drop } = await server.lease();
  await drop();
  const environment = environmentOf(server, lockWaits);
  return { startedAt, environment, hashes: await hashSources(sources) };
}
