import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { bearer, organization } from "better-auth/plugins";
import { defineScenario } from "heddle";
import pg from "pg";

/** One process of the application. The first rows of these tables, which the setup makes, have ids to read. */
async function withAuth(url, work) {
  const ids = {
    user: ["ada", "bob", "cyd"],
    organization: ["acme"],
    invitation: ["for bob", "for cyd"],
  };
  const pool = new pg.Pool({ connectionString: url });
  try {
    const auth = betterAuth({
      baseURL: "http://localhost:3000",
      secret: "0123456789abcdef0123456789abcdef",
      database: pool,
      emailAndPassword: {
        enabled: true,
        // Hashing takes long, and is not what this is about.
        password: { hash: async (text) => text, verify: async () => true },
      },
      advanced: {
        database: { generateId: ({ model }) => ids[model]?.shift() ?? crypto.randomUUID() },
      },
      plugins: [
        bearer(),
        organization({ membershipLimit: 2, requireEmailVerificationOnInvitation: false }),
      ],
      telemetry: { enabled: false },
    });
    return await work(auth, pool);
  } finally {
    await pool.end();
  }
}

/** Each user has one session, and its token is the name of the user. */
const as = (name) => new Headers({ authorization: `Bearer ${name}` });

/** An organization of Ada, and other users. */
async function register(auth, pool, ...names) {
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  for (const name of ["ada", ...names]) {
    const body = { name, email: `${name}@example.com`, password: "a long password" };
    const { token } = await auth.api.signUpEmail({ body });
    await pool.query("update session set token = $1 where token = $2", [name, token]);
  }
  await auth.api.createOrganization({ headers: as("ada"), body: { name: "Acme", slug: "acme" } });
}

const accepts =
  (name) =>
  ({ url }) =>
    withAuth(url, (auth) =>
      auth.api.acceptInvitation({ headers: as(name), body: { invitationId: `for ${name}` } }),
    );

/** An organization may have two members. It has one, and two that are invited accept. */
export default defineScenario({
  setup: ({ url }) =>
    withAuth(url, async (auth, pool) => {
      await register(auth, pool, "bob", "cyd");
      for (const name of ["bob", "cyd"]) {
        const email = `${name}@example.com`;
        const body = { email, role: "member", organizationId: "acme" };
        await auth.api.createInvitation({ headers: as("ada"), body });
      }
    }),
  clients: { bob: accepts("bob"), cyd: accepts("cyd") },
  errors: ["Organization membership limit reached"],
  invariants: {
    "an organization has two members at most": "select count(*) from member having count(*) > 2",
  },
});
