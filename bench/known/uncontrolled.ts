/**
 * Runs the clients of a scenario file at once, without any control: `uncontrolled.ts FILE TIMES`. Prints how
 * many runs violated a rule, as JSON in its last line. A process of its own, since the clients' packages may end it.
 */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Checkers, checkersOf } from "../../harness/checkers/registry.ts";
import { HarnessError } from "../../harness/core/error.ts";
import { DEFAULTS } from "../../harness/explorer/defaults.ts";
import { generator } from "../../harness/explorer/generate.ts";
import { loadScenario } from "../../harness/loading/load-service.ts";
import { dial } from "../../harness/postgres/address.ts";
import { type Server, startServer } from "../../harness/postgres/provider.ts";
import { UngatedSystem } from "../ungated.ts";

const [file = "", times = "100"] = process.argv.slice(2);
const service = await loadScenario(file);
const { scenario } = generator(service, DEFAULTS.bounds, 1)(0);
const checkers = new Checkers(checkersOf(service));
// What a package leaves behind after its client is done is none of the client's answers.
process.on("unhandledRejection", () => {});

const server = await onPort(await startServer("embedded"));
const began = performance.now();
let violated = 0;
let system = await UngatedSystem.open(server, service, undefined);
for (let run = 0; run < Number(times); run++) {
  const execution = await system.stress(scenario);
  const { violations } = await checkers.check(execution, (...given) => system.inOrder(...given));
  if (violations.length > 0) violated++;
  // The next run begins with the schema that the setup made.
  if (!(await system.dirty())) continue;
  await system.close();
  system = await UngatedSystem.open(server, service, undefined);
}
const seconds = (performance.now() - began) / 1_000;
await system.close();
await server.stop();
process.stdout.write(`\n${JSON.stringify({ violated, runs: Number(times), seconds })}`);
process.exit();

/** A server with the same databases at a port of this machine, for packages that take no socket. */
async function onPort(origin: Server): Promise<Server> {
  const listener = createServer((client) => {
    const backend = dial(addressOf(socketFolder));
    client.setNoDelay(true);
    client.pipe(backend).pipe(client);
    for (const side of [client, backend]) side.on("error", () => side.destroy());
  }).listen(0, "127.0.0.1");
  let socketFolder = "";
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const urlAtPort = (url: string): string => {
    const at = new URL(url);
    const folder = at.searchParams.get("host");
    if (folder === null)
      throw new HarnessError("PROVIDER_FAILED", "the embedded server has no socket");
    socketFolder = folder;
    at.searchParams.delete("host");
    return Object.assign(at, { hostname: "127.0.0.1", port: String(port) }).href;
  };
  return {
    ...origin,
    async lease() {
      const database = await origin.lease();
      return {
        ...database,
        url: urlAtPort(database.url),
        ownerUrl: urlAtPort(database.ownerUrl),
        drop: () => database.drop(),
      };
    },
    async stop() {
      listener.close();
      await origin.stop();
    },
  };
}

function addressOf(host: string) {
  return { host, port: 5432 };
}
