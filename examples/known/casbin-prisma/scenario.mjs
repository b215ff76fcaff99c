import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "@prisma/client";
import { newEnforcer, newModelFromString } from "casbin";
import { PrismaAdapter } from "casbin-prisma-adapter";
import { defineScenario } from "heddle";

const MODEL = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act`;

/** One instance of the application loads the policy, and saves it. */
const save = async ({ url }) => {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
  try {
    const adapter = await PrismaAdapter.newAdapter(prisma);
    const enforcer = await newEnforcer(newModelFromString(MODEL), adapter);
    await enforcer.savePolicy();
  } finally {
    await prisma.$disconnect();
  }
};

/** Two instances save the policy. */
export default defineScenario({
  setup: `
    create table casbin_rule (
      id serial primary key, ptype text not null, v0 text, v1 text, v2 text, v3 text, v4 text, v5 text);
    insert into casbin_rule (ptype, v0, v1, v2) values ('p', 'ada', 'loom', 'use')`,
  clients: { first: save, second: save },
  invariants: {
    "the rule is there once": "select count(*) from casbin_rule having count(*) <> 1",
  },
});
