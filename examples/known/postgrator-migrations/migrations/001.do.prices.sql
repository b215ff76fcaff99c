create table prices as select 100 as amount;
