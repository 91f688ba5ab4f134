-- A plan remembers the catalogue that it was compiled for, so that a drift can be told change by change.

alter table gdpr.plan
-- The document that gdpr map catalogue writes; null where a plan came without it. Nothing in it that Postgres' own
-- catalogue does not show to every role. It is kept out of line, so that who loads the plan does not read it.
add column catalogue text,
add constraint plan_catalogue check (catalogue is json object and catalogue::json ->> 'fingerprint' = fingerprint);

drop function gdpr.activate_plan(text, text, bytea);

create function gdpr.activate_plan(
  map_digest text, fingerprint text, body bytea, catalogue text default null
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  stored text;
begin
  -- Two activations at once: the second waits, and is the one that stands.
  lock table gdpr.plan in share row exclusive mode;
  update gdpr.plan as p set is_active = false where p.is_active;
  insert into gdpr.plan as p (map_digest, fingerprint, body, catalogue, is_active, stored_by)
  values (
    activate_plan.map_digest, activate_plan.fingerprint, activate_plan.body, activate_plan.catalogue, true, session_user
  )
  -- Under the same fingerprint lies the same catalogue: one that is known stays known.
  on conflict on constraint plan_pkey do update
  set body = excluded.body, catalogue = coalesce(excluded.catalogue, p.catalogue),
    is_active = true, stored_by = excluded.stored_by, stored_at = clock_timestamp()
  returning digest into stored;
  return stored;
end
$$;
comment on function gdpr.activate_plan is 'Stores a plan and makes it the active one. The answer is its digest.';
grant execute on function gdpr.activate_plan to gdpr_audit;
