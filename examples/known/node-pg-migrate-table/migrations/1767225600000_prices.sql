-- Up Migration
create table prices (amount int);
