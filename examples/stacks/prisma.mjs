import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "@prisma/client";
import { lostUpdate } from "./lost-update.mjs";

export default lostUpdate(async (url) => {
  const db = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
  const { value } = await db.counter.findUniqueOrThrow({ where: { id: 1 } });
  await db.counter.update({ where: { id: 1 }, data: { value: value + 1 } });
  await db.$disconnect();
});
