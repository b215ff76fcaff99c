import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { magicLink } from "better-auth/plugins";
import { defineScenario } from "heddle";
import pg from "pg";

const EMAIL = "ada@example.com";
const TOKEN = "from-the-mail";

/** One process of the application. It sends no mail: the token is known. */
async function withAuth(url, work) {
  const pool = new pg.Pool({ connectionString: url });
  try {
    return await work(
      betterAuth({
        baseURL: "http://localhost:3000",
        secret: "0123456789abcdef0123456789abcdef",
        database: pool,
        plugins: [magicLink({ sendMagicLink: () => {}, generateToken: () => TOKEN })],
        telemetry: { enabled: false },
      }),
    );
  } finally {
    await pool.end();
  }
}

const ask = (auth) => auth.api.signInMagicLink({ body: { email: EMAIL }, headers: new Headers() });

const open = async (auth) => {
  const link = `http://localhost:3000/api/auth/magic-link/verify?token=${TOKEN}`;
  const { status } = await auth.handler(new Request(link));
  return status;
};

const opens = ({ url }) => withAuth(url, open);

/** A user has signed in by a link, and asks for another one, which is opened twice. */
export default defineScenario({
  setup: ({ url }) =>
    withAuth(url, async (auth) => {
      const { runMigrations } = await getMigrations(auth.options);
      await runMigrations();
      await ask(auth);
      await open(auth);
      await ask(auth);
    }),
  clients: { user: opens, scanner: opens },
  invariants: { "a link signs in once": "select count(*) from session having count(*) <> 2" },
});
