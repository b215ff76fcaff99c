import { Client } from "pg";
import { type ClientContext, defineScenario, type ScenarioDefinition } from "../harness/index.ts";

/** Two workers, each of which takes the oldest ready job and does it in one transaction. */
export function queue(take: string): ScenarioDefinition {
  const work = async ({ url }: ClientContext): Promise<number | undefined> => {
    const db = new Client(url);
    await db.connect();
    await db.query("begin");
    const { rows } = await db.query<{ id: number }>(take);
    const id = rows[0]?.id;
    if (id !== undefined) {
      await db.query("insert into done (job) values ($1)", [id]);
      await db.query("update jobs set state = 'done' where id = $1", [id]);
    }
    await db.query("commit");
    await db.end();
    return id;
  };
  return defineScenario({
    setup: `
      create table jobs (id int primary key, state text not null);
      create table done (job int not null);
      insert into jobs values (1, 'ready'), (2, 'ready')`,
    clients: { first: work, second: work },
    invariants: {
      "no job is done twice": "select job from done group by job having count(*) > 1",
      "each worker has a job": "select count(*) from jobs where state = 'done' having count(*) < 2",
    },
  });
}

/** Without a lock, both workers take the same job. */
export default queue("select id from jobs where state = 'ready' order by id limit 1");
