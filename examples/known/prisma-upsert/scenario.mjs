import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "@prisma/client";
import { defineScenario } from "heddle";

/** Adds a post to a tag, which is created if it does not exist. */
const post =
  (title) =>
  async ({ url }) => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
    const posts = { create: { title } };
    try {
      await prisma.tag.upsert({
        where: { name: "looms" },
        create: { name: "looms", posts },
        update: { posts },
      });
    } finally {
      await prisma.$disconnect();
    }
  };

/** Two clients add a post to the same new tag. The tables are as Prisma's migrations make them. */
export default defineScenario({
  setup: `
    create table "Tag" (id serial primary key, name text not null unique);
    create table "Post" (id serial primary key, title text not null);
    create table "_PostToTag" (
      "A" int not null references "Post" (id) on delete cascade on update cascade,
      "B" int not null references "Tag" (id) on delete cascade on update cascade,
      primary key ("A", "B"));
    create index on "_PostToTag" ("B")`,
  clients: { ada: post("Warp"), bob: post("Weft") },
  invariants: {
    "the tag has both posts": `select count(*) from "_PostToTag" having count(*) <> 2`,
  },
});
