create table items (
  id int generated always as identity primary key,
  name text not null,
  stock int not null
);
create table orders (
  id int generated always as identity primary key,
  item_id int not null references items,
  quantity int not null,
  status text not null default 'open'
);
create table customers (
  id int generated always as identity primary key,
  email text not null,
  balance int not null default 0
);
create table payments (
  id int generated always as identity primary key,
  key text not null,
  customer_id int not null references customers,
  amount int not null
);
insert into items (name, stock) values ('lamp', 3), ('chair', 2);
insert into customers (email, balance) values ('ann@example.com', 100), ('ben@example.com', 50);
