import { Auth, skipCSRFCheck } from "@auth/core";
import SequelizeAdapter from "@auth/sequelize-adapter";
import { defineScenario } from "heddle";
import { Sequelize } from "sequelize";

const TOKEN = "from-the-mail";
const LINK = `callback/email?token=${TOKEN}&email=ada%40example.com&callbackUrl=%2F`;

/** Sends no mail: the token is known. */
const email = {
  id: "email",
  type: "email",
  from: "looms@example.com",
  generateVerificationToken: () => TOKEN,
  sendVerificationRequest: () => {},
};

async function withAuth(url, work) {
  const sequelize = new Sequelize(url, { logging: false });
  const config = {
    adapter: SequelizeAdapter(sequelize, { synchronize: false }),
    providers: [email],
    secret: "0123456789abcdef0123456789abcdef",
    basePath: "/auth",
    trustHost: true,
    skipCSRFCheck,
    logger: { error: () => {} },
  };
  try {
    return await work(
      (path, init) => Auth(new Request(`http://localhost/auth/${path}`, init), config),
      sequelize,
    );
  } finally {
    await sequelize.close();
  }
}

/** The user asks for a link. */
const ask = (auth) =>
  auth("signin/email", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "email=ada@example.com",
  });

/** Somebody opens the link. */
const opens = ({ url }) =>
  withAuth(url, (auth) => auth(LINK).then(({ headers }) => headers.get("location")));

/** A user has an account, and asks for a link, which is opened twice. */
export default defineScenario({
  setup: ({ url }) =>
    withAuth(url, async (auth, sequelize) => {
      await sequelize.sync();
      await sequelize.query(`
        insert into users (id, email) values
          ('6a1f2c1e-0000-4000-8000-000000000001', 'ada@example.com')`);
      await ask(auth);
    }),
  clients: { user: opens, scanner: opens },
  invariants: { "a link signs in once": "select count(*) from sessions having count(*) <> 1" },
});
