import { betterAuth } from "better-auth";
import { emailOTP } from "better-auth/plugins";
import { defineScenario } from "heddle";
import pg from "pg";

/** It has moved in version 1.5. */
const { getMigrations } = await import("better-auth/db/migration").catch(
  () => import("better-auth/db"),
);

const EMAIL = "ada@example.com";
const OTP = "271828";

/** One process of the application. It sends no mail: the code is known. */
async function withAuth(url, work) {
  const pool = new pg.Pool({ connectionString: url });
  try {
    return await work(
      betterAuth({
        baseURL: "http://localhost:3000",
        secret: "0123456789abcdef0123456789abcdef",
        database: pool,
        plugins: [
          emailOTP({
            sendVerificationOTP: async () => {},
            generateOTP: () => OTP,
            // The setup is executed once, and the clock goes on: by default the code expires after five minutes.
            expiresIn: 3_600,
          }),
        ],
        telemetry: { enabled: false },
      }),
    );
  } finally {
    await pool.end();
  }
}

const ask = (auth) =>
  auth.api.sendVerificationOTP({ body: { email: EMAIL, type: "sign-in" }, headers: new Headers() });

const enter = async (auth) => {
  const { status } = await auth.handler(
    new Request("http://localhost:3000/api/auth/sign-in/email-otp", {
      method: "POST",
      headers: { "content-type": "application/json", origin: "http://localhost:3000" },
      body: JSON.stringify({ email: EMAIL, otp: OTP }),
    }),
  );
  return status;
};

const enters = ({ url }) => withAuth(url, enter);

/** A user has signed in by a code, and asks for another one, which is entered twice. */
export default defineScenario({
  setup: ({ url }) =>
    withAuth(url, async (auth) => {
      const { runMigrations } = await getMigrations(auth.options);
      await runMigrations();
      await ask(auth);
      await enter(auth);
      await ask(auth);
    }),
  clients: { owner: enters, thief: enters },
  invariants: { "a code signs in once": "select count(*) from session having count(*) <> 2" },
});
