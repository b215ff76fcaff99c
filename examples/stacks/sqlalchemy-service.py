import os

from serve import serve
from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base


class Counter(declarative_base()):
    __tablename__ = "counter"
    id = Column(Integer, primary_key=True)
    value = Column(Integer)


engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1))


def increment():
    with Session(engine) as session:
        session.get(Counter, 1).value += 1
        session.commit()


serve(increment)
