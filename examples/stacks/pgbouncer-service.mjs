import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createListener } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PORT } = process.env;

/** A port that is free. */
async function freePort() {
  const listener = createListener().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

const port = await freePort();
const folder = await mkdtemp(join(tmpdir(), "pgbouncer-"));
const file = join(folder, "pgbouncer.ini");
await writeFile(
  file,
  `[databases]
counter = host=${PGHOST} port=${PGPORT} user=${PGUSER} password=${PGPASSWORD} dbname=${PGDATABASE}
[pgbouncer]
pool_mode = transaction
auth_type = any
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
`,
);
// It does not run as root.
await chmod(folder, 0o755);
const user = process.getuid() === 0 ? ["--user=nobody"] : [];
const bouncer = spawn("/usr/sbin/pgbouncer", [...user, "--quiet", file], { stdio: "inherit" });
bouncer.once("exit", () => process.exit(1));

const pool = new pg.Pool({ host: "127.0.0.1", port, user: "any", database: "counter" });

async function increment() {
  const { rows } = await pool.query("select value from counter where id = $1", [1]);
  await pool.query("update counter set value = $1 where id = $2", [rows[0].value + 1, 1]);
}

createServer((_, response) => {
  increment()
    .catch((error) => {
      response.statusCode = 500;
      response.write(error.message);
    })
    .finally(() => response.end());
}).listen(Number(PORT), "127.0.0.1");
