import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer, openAPI, organization } from "better-auth/plugins";
import fc from "fast-check";
import { defineService, fromOpenApi, rowOf } from "heddle";
import pg from "pg";

const authWith = (database) =>
  betterAuth({
    baseURL: "http://localhost:3000",
    secret: "0123456789abcdef0123456789abcdef",
    ...(database && { database }),
    emailAndPassword: {
      enabled: true,
      password: { hash: async (text) => text, verify: async () => true },
    },
    plugins: [bearer(), openAPI(), organization({ teams: { enabled: true } })],
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  });

/** Its document, without the endpoints that only read, and those that have nothing to do with members. */
const { paths, ...document } = await authWith().api.generateOpenAPISchema();
const MEMBERS = ["leave", "remove-member", "update-member-role", "add-team-member"];
const ofMembers = MEMBERS.map((name) => [`/organization/${name}`, paths[`/organization/${name}`]]);

/** Each user has one session, and its token is the name of the user. */
const as = (name) => ({ authorization: `Bearer ${name}` });
const member = rowOf("member.id");

/** Nothing here says what is right. */
export default defineService({
  setup: async ({ url }) => {
    const pool = new pg.Pool({ connectionString: url });
    const { api, options } = authWith(pool);
    const { runMigrations } = await getMigrations(options);
    await runMigrations();
    const users = {};
    for (const name of ["ada", "bob"]) {
      const body = { name, email: `${name}@example.com`, password: "a long password" };
      const { token, user } = await api.signUpEmail({ body });
      await pool.query("update session set token = $1 where token = $2", [name, token]);
      users[name] = user.id;
    }
    const headers = new Headers(as("ada"));
    const body = { name: "Acme", slug: "acme" };
    const { id } = await api.createOrganization({ headers, body });
    await api.addMember({ body: { userId: users.bob, role: "owner", organizationId: id } });
    await pool.end();
  },
  service: async ({ databaseUrl }) => {
    const pool = new pg.Pool({ connectionString: databaseUrl });
    const server = createServer(toNodeHandler(authWith(pool)));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      url: `http://127.0.0.1:${server.address().port}`,
      pools: [pool],
      async stop() {
        server.closeAllConnections();
        server.close();
        await pool.end();
      },
    };
  },
  operations: fromOpenApi(
    { ...document, paths: Object.fromEntries(ofMembers) },
    {
      "POST /organization/remove-member": { memberIdOrEmail: member },
      updateOrganizationMemberRole: { memberId: member, role: fc.constantFrom("member", "owner") },
    },
    { headers: { authorization: fc.constantFrom("Bearer ada", "Bearer bob") } },
  ),
});
