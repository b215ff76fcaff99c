create or replace function enroll(course_id int, member_id int) returns int language plpgsql as $$
declare enrolment int;
begin
  perform from courses where id = enroll.course_id for no key update;
  if (select count(*) from enrolments e where e.course_id = enroll.course_id)
     >= (select seats from courses where id = enroll.course_id) then
    raise exception 'the course is full' using errcode = 'P0001';
  end if;
  insert into enrolments (course_id, member_id) values (enroll.course_id, enroll.member_id)
    returning id into enrolment;
  return enrolment;
end $$;

create or replace function visit(p_course_id int) returns int language sql as $$
  update courses set visits = visits + 1 where id = p_course_id returning visits
$$;

create or replace function gift(from_member_id int, to_member_id int, amount int) returns void
language plpgsql as $$
begin
  if from_member_id = to_member_id then raise exception 'no gift' using errcode = 'P0001'; end if;
  perform from members where id in (from_member_id, to_member_id) order by id for no key update;
  update members set credit = credit - amount where id = from_member_id and credit >= amount;
  if not found then raise exception 'not enough credit' using errcode = 'P0001'; end if;
  update members set credit = credit + amount where id = to_member_id;
end $$;
