"""One worker of a job queue: takes the oldest job without a worker, and does it."""

import os

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as db:
    job = db.execute("select id from jobs where worker is null order by id limit 1").fetchone()
    if job is not None:
        db.execute("update jobs set worker = %s where id = %s", [os.environ["WORKER"], job[0]])
        db.execute("insert into done (job, worker) values (%s, %s)", [job[0], os.environ["WORKER"]])
