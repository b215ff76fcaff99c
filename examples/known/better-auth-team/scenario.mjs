import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { bearer, organization } from "better-auth/plugins";
import { defineScenario } from "heddle";
import pg from "pg";

/** One process of the application. The first rows of these tables, which the setup makes, have ids to read. */
async function withAuth(url, work) {
  const ids = { user: ["ada", "bob"], organization: ["acme"], team: ["weavers"] };
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
      plugins: [bearer(), organization({ teams: { enabled: true } })],
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

const leaves = ({ url }) =>
  withAuth(url, (auth) =>
    auth.api.leaveOrganization({ headers: as("bob"), body: { organizationId: "acme" } }),
  );

const adds = ({ url }) =>
  withAuth(url, (auth) =>
    auth.api.addTeamMember({
      headers: as("ada"),
      body: { teamId: "weavers", userId: "bob", organizationId: "acme" },
    }),
  );

/** An owner adds a member to a team, while this member leaves the organization. */
export default defineScenario({
  setup: ({ url }) =>
    withAuth(url, async (auth, pool) => {
      await register(auth, pool, "bob");
      await auth.api.addMember({ body: { userId: "bob", role: "member", organizationId: "acme" } });
    }),
  clients: { member: leaves, owner: adds },
  errors: ["User is not a member of the organization"],
  invariants: {
    "the members of a team are members of its organization": `
      select tm."userId", t.name from "teamMember" tm join team t on t.id = tm."teamId"
       where not exists (select from member m
                          where m."userId" = tm."userId" and m."organizationId" = t."organizationId")`,
  },
});
