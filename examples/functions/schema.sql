-- The courses of a club. Members enroll, and give credit to each other. All of it is SQL: three functions have a race.
create table courses (
  id int generated always as identity primary key,
  title text not null,
  seats int not null,
  visits int not null default 0
);
create table members (
  id int generated always as identity primary key,
  name text not null,
  credit int not null default 0 check (credit >= 0)
);
create table enrolments (
  id int generated always as identity primary key,
  course_id int not null references courses,
  member_id int not null references members
);
insert into courses (title, seats) values ('pottery', 1), ('chess', 2);
insert into members (name, credit) values ('ada', 50), ('bob', 50), ('cyd', 50), ('dan', 50);

-- Checks, and then inserts: two calls may both find the last seat.
create function enroll(course_id int, member_id int) returns int language plpgsql as $$
declare enrolment int;
begin
  if (select count(*) from enrolments e where e.course_id = enroll.course_id)
     >= (select seats from courses where id = enroll.course_id) then
    raise exception 'the course is full' using errcode = 'P0001';
  end if;
  insert into enrolments (course_id, member_id) values (enroll.course_id, enroll.member_id)
    returning id into enrolment;
  return enrolment;
end $$;

-- Only the call that deletes the row has left the course.
create function leave(p_enrolment_id int) returns boolean language plpgsql as $$
begin
  delete from enrolments where id = p_enrolment_id;
  if not found then raise exception 'no such enrolment' using errcode = 'P0002'; end if;
  return true;
end $$;

-- A stale count: another visit may come after it was read.
create function visit(p_course_id int) returns int language plpgsql as $$
declare before int;
begin
  select visits into before from courses where id = p_course_id;
  update courses set visits = before + 1 where id = p_course_id;
  return before + 1;
end $$;

create function top_up(member_id int, amount int) returns int language sql as $$
  update members set credit = credit + amount where id = member_id returning credit
$$;

-- Locks in the order of its arguments: two gifts in opposite directions wait for each other.
create function gift(from_member_id int, to_member_id int, amount int) returns void language plpgsql as $$
begin
  if from_member_id = to_member_id then raise exception 'no gift' using errcode = 'P0001'; end if;
  update members set credit = credit - amount where id = from_member_id and credit >= amount;
  if not found then raise exception 'not enough credit' using errcode = 'P0001'; end if;
  update members set credit = credit + amount where id = to_member_id;
end $$;

create function seats_left(course_id int) returns bigint language sql stable as $$
  select seats - (select count(*) from enrolments e where e.course_id = c.id)
    from courses c where c.id = seats_left.course_id
$$;
