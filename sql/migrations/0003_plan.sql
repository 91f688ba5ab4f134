-- The plans: what a data map and a catalogue compile into.

create table gdpr.plan (
  map_digest text not null,
  fingerprint text not null,
  -- The plan itself, in UTF-8: bytes and not jsonb, so that its digest stays what it was.
  body bytea not null,
  digest text not null generated always as (encode(sha256(body), 'hex')) stored,
  is_active boolean not null default false,
  stored_by name not null,
  stored_at timestamptz not null default clock_timestamp(),
  primary key (map_digest, fingerprint),
  constraint plan_map_digest check (map_digest ~ '^[0-9a-f]{64}$'),
  constraint plan_fingerprint check (fingerprint ~ '^[0-9a-f]{64}$'),
  -- What the functions load is what its columns say.
  constraint plan_body check (
    convert_from(body, 'UTF8') is json object with unique keys
    and convert_from(body, 'UTF8')::json ->> 'fingerprint' = fingerprint
  )
);
comment on table gdpr.plan is
'Compiled plans; the active one is what the functions go by. Decisions and statements, no personal data.';
-- One plan at a time.
create unique index plan_active on gdpr.plan (is_active) where is_active;
grant select on gdpr.plan to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;

create function gdpr.activate_plan(map_digest text, fingerprint text, body bytea) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  stored text;
begin
  -- Two activations at once: the second waits, and is the one that stands.
  lock table gdpr.plan in share row exclusive mode;
  update gdpr.plan as p set is_active = false where p.is_active;
  insert into gdpr.plan (map_digest, fingerprint, body, is_active, stored_by)
  values (activate_plan.map_digest, activate_plan.fingerprint, activate_plan.body, true, session_user)
  on conflict on constraint plan_pkey do update
  set body = excluded.body, is_active = true, stored_by = excluded.stored_by, stored_at = clock_timestamp()
  returning digest into stored;
  return stored;
end
$$;
comment on function gdpr.activate_plan is 'Stores a plan and makes it the active one. The answer is its digest.';
grant execute on function gdpr.activate_plan to gdpr_audit;
