-- The register as requests need it: whom they are about, who works on them, and what their deadlines follow from.

-- People ------------------------------------------------------------------------------------------------------------

create table gdpr.subject_key (
  -- Who it is, as an HMAC under a key that lies outside the database: nobody is read out of this table.
  person bytea primary key check (octet_length(person) = 32),
  -- What the ledger knows them by is an HMAC under this. Deleting it is what makes the ledger forget them.
  key bytea not null check (octet_length(key) = 32),
  made_at timestamptz not null default clock_timestamp()
);
comment on table gdpr.subject_key is 'A random key for each person who has asked for something; erased with them.';
grant select on gdpr.subject_key to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;


create function gdpr.know_person(person bytea, key bytea) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  known bytea;
begin
  insert into gdpr.subject_key (person, key) values (know_person.person, know_person.key) on conflict do nothing;
  select k.key into known from gdpr.subject_key as k where k.person = know_person.person;
  return known;
end
$$;
comment on function gdpr.know_person is 'The key of a person: the one that they have, or this one from now on.';
grant execute on function gdpr.know_person to gdpr_export, gdpr_erase, gdpr_audit;


-- The register ------------------------------------------------------------------------------------------------------

alter table gdpr.request
drop constraint request_status,
add constraint request_status check (
  status in (
    'in_progress', 'completed', 'incomplete', 'refused', 'not_identified', 'blocked', 'rejected', 'failed',
    'withdrawn', 'suspended_by_restore'
  )
),
add column request_type text not null,
add column kind text not null,
-- Gone with the person's key: what remains is that somebody asked.
add column person bytea references gdpr.subject_key (person) on delete set null,
-- What was asked for, without who asked: the same again is the same request.
add column terms bytea not null,
-- Why the status is what it is, where it needs a reason.
add column code text,
add column decision jsonb not null,
add column options jsonb not null,
-- Every date, and what they were computed by (shared/deadlines.py).
add column deadline jsonb not null,
add column due_at timestamptz not null,
add column target_date date not null,
-- The worker that has it, until when, and how often it has been taken: each write names the number it was taken with.
add column leased_until timestamptz,
add column fence bigint not null default 0,
add constraint request_of_type check (
  (request_type in ('access', 'portability') and action = 'export') or (request_type = 'erasure' and action = 'erase')
),
add constraint request_terms check (octet_length(terms) = 32),
add constraint request_code check (code ~ '^[a-z][a-z_]{0,40}$'),
add constraint request_words check (
  kind ~ '^[a-z][a-z0-9_.-]{0,62}$'
  and jsonb_typeof(decision) = 'object' and jsonb_typeof(options) = 'object' and jsonb_typeof(deadline) = 'object'
  and octet_length(decision::text) <= 4096 and octet_length(options::text) <= 4096
);
create index request_of_person on gdpr.request (person) where person is not null;
-- What is to be done next.
create index request_open on gdpr.request (due_at) where status in ('in_progress', 'incomplete', 'failed', 'blocked');

revoke insert (subject_request_id, action, received_at) on gdpr.request from gdpr_audit;

create table gdpr.request_person (
  request_id uuid primary key references gdpr.request (id) on delete cascade,
  -- Key and identities as they were resolved at intake, under a key that lies outside the database.
  sealed bytea not null check (octet_length(sealed) between 40 and 65536),
  -- An HMAC of the identities that were sent, and its key: told apart from other ones while the request is open.
  mark bytea not null check (octet_length(mark) = 32),
  mark_key bytea not null check (octet_length(mark_key) = 32)
);
comment on table gdpr.request_person is 'Whom an open request is about, sealed; dropped when it is done.';
grant select on gdpr.request_person to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;

create table gdpr.request_question (
  request_id uuid not null references gdpr.request (id) on delete cascade,
  asked_at timestamptz not null,
  answered_at timestamptz,
  primary key (request_id, asked_at),
  constraint request_question_answer check (answered_at >= asked_at)
);
comment on table gdpr.request_question is 'When the person was asked something without which nobody could go on.';

create table gdpr.request_extension (
  -- Once.
  request_id uuid primary key references gdpr.request (id) on delete cascade,
  decided_at timestamptz not null,
  reason text not null check (reason ~ '^[a-z][a-z_]{0,40}$'),
  text_ref text not null check (length(text_ref) <= 64),
  facts_ref text check (length(facts_ref) <= 64),
  notified_at timestamptz,
  constraint request_extension_notice check (notified_at >= decided_at)
);
comment on table gdpr.request_extension is 'That a request takes longer; it counts from when the person has been told.';

create table gdpr.request_refusal (
  request_id uuid primary key references gdpr.request (id) on delete cascade,
  decided_at timestamptz not null,
  reason text not null check (reason ~ '^[a-z][a-z_]{0,40}$'),
  text_ref text not null check (length(text_ref) <= 64),
  authority text not null check (length(authority) between 1 and 200),
  remedy text not null check (length(remedy) between 1 and 200),
  decided_by text not null check (decided_by ~ '^[a-z][a-z0-9_.-]{0,40}$'),
  facts_ref text check (length(facts_ref) <= 64)
);
comment on table gdpr.request_refusal is 'Refusals, with what the person has to be told (Art. 12(4)).';

create table gdpr.notice (
  request_id uuid not null references gdpr.request (id) on delete cascade,
  kind text not null check (kind in ('question', 'extension', 'refusal', 'not_identified')),
  owed_at timestamptz not null default clock_timestamp(),
  due_at timestamptz not null,
  given_at timestamptz,
  primary key (request_id, kind, owed_at)
);
comment on table gdpr.notice is 'What the person has to be told, by when, and when they were (Art. 12(3), 12(4)).';
create index notice_owed on gdpr.notice (due_at) where given_at is null;

grant select on gdpr.request_question, gdpr.request_extension, gdpr.request_refusal, gdpr.notice
to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;
grant insert on gdpr.request_question, gdpr.request_extension, gdpr.request_refusal, gdpr.notice to gdpr_audit;
grant update (answered_at) on gdpr.request_question to gdpr_audit;
grant update (notified_at) on gdpr.request_extension to gdpr_audit;
grant update (given_at) on gdpr.notice to gdpr_audit;
-- A deadline follows from these facts, which only this role records.
grant update (deadline, due_at, target_date) on gdpr.request to gdpr_audit;

create function gdpr.keep_request() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if (old.id, old.subject_request_id, old.action, old.request_type, old.kind, old.received_at, old.registered_at, old.terms)
    is distinct from
    (new.id, new.subject_request_id, new.action, new.request_type, new.kind, new.received_at, new.registered_at, new.terms)
  then
    raise exception 'what was asked for, and when, does not change' using errcode = 'check_violation';
  end if;
  return new;
end
$$;
create trigger request_keeps before update on gdpr.request
for each row execute function gdpr.keep_request();

create function gdpr.register_request(
  subject_request_id uuid, action text, request_type text, kind text, received_at timestamptz,
  person bytea, person_key bytea, terms bytea, status text, code text,
  decision jsonb, options jsonb, deadline jsonb, due_at timestamptz, target_date date,
  sealed bytea, mark bytea, mark_key bytea
) returns table (id uuid, is_new boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made uuid;
begin
  if session_user <> 'gdpr_audit'
    and (session_user, register_request.action) not in (('gdpr_export', 'export'), ('gdpr_erase', 'erase'))
  then
    raise exception 'role % may not register requests of this action', session_user
      using errcode = 'insufficient_privilege';
  end if;
  if register_request.status not in ('in_progress', 'not_identified')
    or (register_request.status = 'in_progress') <> (register_request.person is not null)
    or (register_request.person is null) <> (register_request.sealed is null)
  then
    raise exception 'a request is about one person, or it is not identified' using errcode = 'check_violation';
  end if;
  if register_request.person is not null then
    perform gdpr.know_person(register_request.person, register_request.person_key);
  end if;
  insert into gdpr.request (
    subject_request_id, action, request_type, kind, received_at, person, terms, status, code,
    decision, options, deadline, due_at, target_date
  )
  values (
    register_request.subject_request_id, register_request.action, register_request.request_type, register_request.kind,
    register_request.received_at, register_request.person, register_request.terms, register_request.status,
    register_request.code, register_request.decision, register_request.options, register_request.deadline,
    register_request.due_at, register_request.target_date
  )
  on conflict on constraint request_once do nothing
  returning request.id into made;
  if made is null then
    return query
    select r.id, false
    from gdpr.request as r
    where r.subject_request_id = register_request.subject_request_id and r.action = register_request.action;
    return;
  end if;
  if register_request.sealed is not null then
    insert into gdpr.request_person (request_id, sealed, mark, mark_key)
    values (made, register_request.sealed, register_request.mark, register_request.mark_key);
  end if;
  if register_request.status = 'not_identified' then
    insert into gdpr.notice (request_id, kind, due_at)
    values (made, 'not_identified', register_request.due_at);
  end if;
  return query select made, true;
end
$$;
comment on function gdpr.register_request is
'The only way into the register. The same request again is not another one: the answer then is the one that stands.';
grant execute on function gdpr.register_request to gdpr_export, gdpr_erase, gdpr_audit;

create function gdpr.claim_request(action text, seconds integer, request_id uuid default null)
returns table (id uuid, fence bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if (session_user, claim_request.action) not in (('gdpr_export', 'export'), ('gdpr_erase', 'erase')) then
    raise exception 'role % may not work on requests of this action', session_user
      using errcode = 'insufficient_privilege';
  end if;
  if claim_request.seconds is null or claim_request.seconds not between 1 and 3600 then
    raise exception 'a lease lasts from 1 to 3600 seconds' using errcode = 'check_violation';
  end if;
  return query
  update gdpr.request as r
  set fence = r.fence + 1, leased_until = clock_timestamp() + make_interval(secs => claim_request.seconds)
  where r.id = (
    select o.id
    from gdpr.request as o
    where o.action = claim_request.action
      and o.id = coalesce(claim_request.request_id, o.id)
      and o.status in ('in_progress', 'incomplete', 'failed')
      and (o.leased_until is null or o.leased_until < clock_timestamp())
      -- Whoever waits for an answer is not worked on.
      and not exists (
        select from gdpr.request_question as q where q.request_id = o.id and q.answered_at is null
      )
    order by o.due_at, o.id
    limit 1
    for update skip locked
  )
  returning r.id, r.fence;
end
$$;
comment on function gdpr.claim_request is
'Takes the most urgent request, or this one, for so long by the server''s clock. What is written then names its fence.';
grant execute on function gdpr.claim_request to gdpr_export, gdpr_erase;

create function gdpr.renew_lease(request_id uuid, fence bigint, seconds integer) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if renew_lease.seconds is null or renew_lease.seconds not between 0 and 3600 then
    raise exception 'a lease lasts up to 3600 seconds' using errcode = 'check_violation';
  end if;
  -- With 0 seconds it is given back.
  update gdpr.request as r
  set leased_until = clock_timestamp() + make_interval(secs => renew_lease.seconds)
  where r.id = renew_lease.request_id and r.fence = renew_lease.fence
    and (session_user, r.action) in (('gdpr_export', 'export'), ('gdpr_erase', 'erase'));
  return found;
end
$$;
comment on function gdpr.renew_lease is 'Whether the request is still the caller''s; then for so much longer.';
grant execute on function gdpr.renew_lease to gdpr_export, gdpr_erase;

drop function gdpr.move_request(uuid, text);

create function gdpr.move_request(
  request_id uuid, to_status text, fence bigint default null, code text default null
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  standing gdpr.request;
begin
  select * into standing from gdpr.request as r where r.id = move_request.request_id;
  if not found then
    raise exception 'there is no such request' using errcode = 'no_data_found';
  end if;
  -- Before the lock: who may never take this step shall not keep from it those who may.
  if not exists (
    select from gdpr.request_step as s
    where s.action = standing.action and s.to_status = move_request.to_status and s.role = session_user
  ) then
    raise exception 'role % may not move this request to this status', session_user
      using errcode = 'insufficient_privilege';
  end if;
  select * into standing from gdpr.request as r where r.id = move_request.request_id for no key update;
  -- A worker whose lease ran out does not overwrite its successor. The officer's steps need no lease, and end one.
  if session_user <> 'gdpr_audit' and standing.fence is distinct from move_request.fence then
    raise exception 'another worker has this request now' using errcode = 'object_not_in_prerequisite_state';
  end if;
  if standing.status = move_request.to_status then
    return standing.status;  -- a retry after a crash behind the commit
  end if;
  if not exists (
    select from gdpr.request_step as s
    where s.action = standing.action and s.from_status = standing.status
      and s.to_status = move_request.to_status and s.role = session_user
  ) then
    raise exception 'role % may not move this request from % to %', session_user, standing.status, move_request.to_status
      using errcode = 'insufficient_privilege';
  end if;
  update gdpr.request as r
  set status = move_request.to_status, code = move_request.code, changed_at = clock_timestamp(),
    fence = case when session_user = 'gdpr_audit' then r.fence + 1 else r.fence end,
    leased_until = case when session_user = 'gdpr_audit' then null else r.leased_until end
  where r.id = move_request.request_id;
  -- Nobody works on it any more, so nobody needs to know whom it was about.
  if move_request.to_status in ('refused', 'withdrawn', 'not_identified', 'rejected') then
    delete from gdpr.request_person as p where p.request_id = move_request.request_id;
  end if;
  return move_request.to_status;
end
$$;
comment on function gdpr.move_request is 'The only way in which the status of a request changes.';
grant execute on function gdpr.move_request to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;

create function gdpr.forget_request(request_id uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- As long as it is open, somebody will ask whom it is about; and one role does not forget another's.
  delete from gdpr.request_person as p
  using gdpr.request as r
  where p.request_id = forget_request.request_id and r.id = p.request_id
    and r.status not in ('in_progress', 'incomplete', 'failed', 'blocked', 'suspended_by_restore')
    and (session_user, r.action) in (
      ('gdpr_export', 'export'), ('gdpr_verify', 'erase'), ('gdpr_audit', 'export'), ('gdpr_audit', 'erase')
    );
  return found;
end
$$;
comment on function gdpr.forget_request is
'Forgets whom a request was about, once it is done and everybody has been told.';
grant execute on function gdpr.forget_request to gdpr_export, gdpr_verify, gdpr_audit;

insert into gdpr.request_step (action, from_status, to_status, role) values
('export', 'incomplete', 'refused', 'gdpr_audit'),
('export', 'failed', 'refused', 'gdpr_audit'),
('export', 'blocked', 'refused', 'gdpr_audit'),
('export', 'in_progress', 'withdrawn', 'gdpr_export'),
('export', 'incomplete', 'withdrawn', 'gdpr_export'),
('export', 'failed', 'withdrawn', 'gdpr_export'),
('erase', 'incomplete', 'refused', 'gdpr_audit'),
('erase', 'failed', 'refused', 'gdpr_audit'),
('erase', 'blocked', 'refused', 'gdpr_audit');


-- Legal holds -------------------------------------------------------------------------------------------------------

create table gdpr.hold (
  id uuid primary key default gen_random_uuid(),
  person bytea not null references gdpr.subject_key (person) on delete cascade,
  -- Which tables of the map; all of them, where none is named.
  datasets text[],
  law text not null check (length(law) between 1 and 200),
  reason_ref text not null check (length(reason_ref) between 1 and 64),
  by_role text not null check (by_role ~ '^[a-z][a-z0-9_.-]{0,40}$'),
  placed_at timestamptz not null default clock_timestamp(),
  -- No hold is for ever: whoever still needs it places it again.
  ends_on date not null,
  released_at timestamptz,
  released_by text check (released_by ~ '^[a-z][a-z0-9_.-]{0,40}$'),
  constraint hold_ends check (ends_on > placed_at::date and ends_on <= placed_at::date + 3660),
  constraint hold_release check ((released_at is null) = (released_by is null) and released_at >= placed_at),
  constraint hold_datasets check (cardinality(datasets) > 0)
);
comment on table gdpr.hold is 'What must not be erased for now, by law, until when (Art. 17(3)(e), 18).';
create index hold_of_person on gdpr.hold (person);
grant select on gdpr.hold to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;
grant insert (person, datasets, law, reason_ref, by_role, ends_on) on gdpr.hold to gdpr_erase;
grant update (released_at, released_by) on gdpr.hold to gdpr_erase;

create function gdpr.forget_person(person bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Whoever places a hold at this moment locks the same row, and waits or is waited for.
  perform from gdpr.subject_key as k where k.person = forget_person.person for update;
  if exists (
    select from gdpr.hold as h
    where h.person = forget_person.person and h.released_at is null and h.ends_on >= current_date
  ) then
    raise exception 'who is under a legal hold is not forgotten' using errcode = 'object_in_use';
  end if;
  delete from gdpr.subject_key as k where k.person = forget_person.person;
  return found;
end
$$;
comment on function gdpr.forget_person is
'Deletes a person''s key, without which the ledger knows nobody. The last step of an erasure.';
grant execute on function gdpr.forget_person to gdpr_erase;

insert into gdpr.entry_kind (kind, writer) values
('request.registered', 'gdpr_export'),
('request.registered', 'gdpr_erase'),
('request.asked', 'gdpr_audit'),
('request.answered', 'gdpr_audit'),
('request.extended', 'gdpr_audit'),
('request.notified', 'gdpr_audit'),
('request.refused', 'gdpr_audit'),
('request.due', 'gdpr_audit'),
('request.overdue', 'gdpr_audit'),
('request.idle', 'gdpr_audit'),
('request.unanswered', 'gdpr_audit'),
('request.notice', 'gdpr_audit'),
('request.stalled', 'gdpr_audit'),
('hold.placed', 'gdpr_erase'),
('hold.released', 'gdpr_erase'),
('record.consent', 'gdpr_audit'),
('record.identity_check', 'gdpr_audit'),
('record.disclosure', 'gdpr_audit');
