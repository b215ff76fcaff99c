create table wallets (
  id int generated always as identity primary key,
  owner text not null unique,
  balance int not null default 0
);

-- Money that is reserved for a merchant, until it is captured or released.
create table holds (
  id int generated always as identity primary key,
  wallet_id int not null references wallets,
  amount int not null check (amount > 0),
  status text not null default 'open' check (status in ('open', 'captured', 'released'))
);

-- Each change of a balance, for the owner's statement.
create table entries (
  id int generated always as identity primary key,
  wallet_id int not null references wallets,
  amount int not null,
  reason text not null
);

insert into wallets (owner, balance) values ('ada', 100), ('bob', 60);
insert into entries (wallet_id, amount, reason) values (1, 100, 'deposit'), (2, 60, 'deposit');
insert into holds (wallet_id, amount) values (1, 10), (2, 10);
