import type { Provenance } from "../core/campaign.ts";
import { hashSources } from "../explorer/sources.ts";
import type { Subject } from "../explorer/subject.ts";
import type { Server } from "../postgres/provider.ts";
import { environmentOf } from "../verify.ts";

/** When, where and of what a model's mutants are tried. */
export async function provenanceOf(
  server: Server,
  { sources }: Pick<Subject, "sources">,
): Promise<Provenance> {
  const startedAt = new Date().toISOString();
  const { lockWaits, drop } = await server.lease();
  await drop();
  const environment = environmentOf(server, lockWaits);
  return { startedAt, environment, hashes: await hashSources(sources) };
}
