import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { twoFactor } from "better-auth/plugins";
import { defineScenario } from "heddle";
import pg from "pg";

const CREDENTIALS = { email: "ada@example.com", password: "a long password" };

/** One process of the application. */
async function withAuth(url, work) {
  const pool = new pg.Pool({ connectionString: url });
  try {
    return await work(
      betterAuth({
        appName: "Looms",
        baseURL: "http://localhost:3000",
        secret: "0123456789abcdef0123456789abcdef",
        database: pool,
        emailAndPassword: {
          enabled: true,
          // Hashing takes long, and is not what this is about.
          password: {
            hash: async (text) => text,
            verify: async ({ hash, password }) => hash === password,
          },
        },
        plugins: [twoFactor()],
        telemetry: { enabled: false },
      }),
    );
  } finally {
    await pool.end();
  }
}

/** The user signs in, and turns on the second factor. */
const enables = ({ url }) =>
  withAuth(url, async (auth) => {
    const { headers } = await auth.api.signInEmail({ body: CREDENTIALS, returnHeaders: true });
    await auth.api.enableTwoFactor({
      body: { password: CREDENTIALS.password },
      headers: {
        cookie: headers
          .getSetCookie()
          .map((c) => c.split(";")[0])
          .join("; "),
      },
    });
  });

/** A user turns on the second factor in two tabs. */
export default defineScenario({
  setup: ({ url }) =>
    withAuth(url, async (auth) => {
      const { runMigrations } = await getMigrations(auth.options);
      await runMigrations();
      await auth.api.signUpEmail({ body: { name: "Ada", ...CREDENTIALS } });
    }),
  clients: { tab: enables, other: enables },
  invariants: {
    "a user has one second factor": `select "userId", count(*) from "twoFactor" group by "userId" having count(*) > 1`,
  },
});
