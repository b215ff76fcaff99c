create table providers (
  id         bigint generated always as identity,
  name       text        not null,
  created_at timestamptz not null default now(),

  constraint providers_pkey primary key (id)
);

comment on table providers is
  'The owners of calendars. Overlap rules apply within one provider.';
comment on constraint providers_pkey on providers is
  'Each provider is one row, so that a calendar has one owner.';
comment on index providers_pkey is
  'Finds a provider by id, and backs the primary key.';
