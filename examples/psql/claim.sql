\set ON_ERROR_STOP on
begin;
select count(*) = 0 as free from claims where seat = 7 \gset
\if :free
  insert into claims (seat, client) values (7, :'client');
\endif
commit;
\echo free was :free
