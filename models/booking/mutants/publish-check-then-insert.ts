import { type BookingMutant, rewritten } from "./mutant.ts";

/** A slot is looked up, and inserted if it does not exist. */
export const publishCheckThenInsert: BookingMutant = {
  name: "publish-check-then-insert",
  origin:
    "ON CONFLICT DO UPDATE was replaced by statements that are easier to read. Two publishes " +
    "of the same new slot both find nothing, and one of them violates the unique index.",
  checker: "linearizability",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("publish_slot", [
    `  insert into availability_slots (provider_id, start_at, end_at)
  values (p_provider_id, p_start, p_end)
  on conflict (provider_id, start_at, end_at) do update
     set is_available = true, withdrawn_at = null, updated_at = now()
   where availability_slots.withdrawn_at is not null
  returning * into v_slot;

  if not found then
`,
    `  update availability_slots
     set is_available = true, withdrawn_at = null, updated_at = now()
   where provider_id = p_provider_id
     and start_at = p_start::timestamptz(3)
     and end_at = p_end::timestamptz(3)
     and withdrawn_at is not null
  returning * into v_slot;

  if not found and not exists (
    select from availability_slots
     where provider_id = p_provider_id
       and start_at = p_start::timestamptz(3)
       and end_at = p_end::timestamptz(3)
  ) then
    insert into availability_slots (provider_id, start_at, end_at)
    values (p_provider_id, p_start, p_end)
    returning * into v_slot;
  elsif v_slot.id is null then
`,
  ]),
};
