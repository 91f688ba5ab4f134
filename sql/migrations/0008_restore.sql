-- A restored database: it notices, does nothing else, and is brought up to what was anchored (threat model A2).

-- What an entry may say -----------------------------------------------------------------------------------------------

insert into gdpr.entry_kind (kind, writer) values
('ledger.restored', 'gdpr_audit'),
('request.suspended', 'gdpr_audit'),
('request.reinstated', 'gdpr_audit');

insert into gdpr.entry_field (field) values ('before'), ('kept');

-- Which epochs there have been, the ledger itself knows.
create index entry_opening on gdpr.entry (id) where kind = 'ledger.origin_opened';


-- After a restore -----------------------------------------------------------------------------------------------------

-- What the ledger was found to be, each time that this changed, beside what lies outside. A finding holds for one life
-- of the server and one database in it: what a backup says of itself is not believed once it has been restored.
create table gdpr.comparison (
  id bigint generated always as identity primary key,
  state text not null check (state in ('whole', 'behind', 'forked')),
  origin text not null check (origin ~ '^[!-*,-~]{1,200}$'),
  size bigint not null check (size >= 0),
  server_started timestamptz not null default pg_postmaster_start_time(),
  database oid not null,
  at timestamptz not null default clock_timestamp()
);
comment on table gdpr.comparison is 'What the ledger was found to be beside what was anchored. Append-only.';

-- What was anchored and is not here may be taken over from outside: up to this size, whose root somebody has signed.
create table gdpr.restoration (
  id uuid primary key default gen_random_uuid(),
  origin text not null check (origin ~ '^[!-*,-~]{1,200}$'),
  -- How many entries were here, which are the beginning of those that were anchored.
  kept bigint not null check (kept >= 0),
  size bigint not null,
  root bytea not null check (octet_length(root) = 32),
  -- The signed checkpoint: without a signature on it, nothing more is ever published here.
  note text not null check (octet_length(note) <= 4096),
  -- SHA-256 over the leaf hashes of each bundle that is to come, as they were when they gave this root.
  digests bytea not null,
  by_role text not null check (by_role ~ '^[a-z][a-z0-9_.-]{0,40}$'),
  decided_at timestamptz not null,
  at timestamptz not null default clock_timestamp(),
  constraint restoration_range check (size > kept),
  constraint restoration_digests check (octet_length(digests) = 32 * ((size + 255) / 256 - kept / 256))
);
comment on table gdpr.restoration is 'That entries are taken over from outside: which, and who decided. Append-only.';

create table gdpr.imported (
  entry_id bigint primary key,
  restoration uuid not null references gdpr.restoration (id)
);
comment on table gdpr.imported is 'Entries that were taken over from outside, and with which restoration. Append-only.';

-- That another epoch is to begin with what is here. It has begun once its event stands in the ledger.
create table gdpr.epoch (
  event uuid primary key,
  number integer not null check (number > 1),
  -- The log that it takes the place of, and the newest checkpoint of it.
  before text not null check (before ~ '^[!-*,-~]{1,200}$'),
  note bytea not null check (octet_length(note) = 32),
  size bigint not null check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  -- What was signed behind this many entries is declared lost.
  kept bigint not null,
  by_role text not null check (by_role ~ '^[a-z][a-z0-9_.-]{0,40}$'),
  decided_at timestamptz not null,
  at timestamptz not null default clock_timestamp(),
  constraint epoch_range check (kept between 0 and size)
);
comment on table gdpr.epoch is 'Epochs that this database was to begin, and what each declares lost. Append-only.';

grant select on gdpr.comparison, gdpr.restoration, gdpr.imported, gdpr.epoch to gdpr_audit, gdpr_verify;
grant insert (event, number, before, note, size, root, kept, by_role, decided_at) on gdpr.epoch to gdpr_audit;

create trigger comparison_stays before delete or update on gdpr.comparison
for each row execute function gdpr.refuse_change();
create trigger comparison_stays_whole before truncate on gdpr.comparison
for each statement execute function gdpr.refuse_change();
create trigger restoration_stays before delete or update on gdpr.restoration
for each row execute function gdpr.refuse_change();
create trigger restoration_stays_whole before truncate on gdpr.restoration
for each statement execute function gdpr.refuse_change();
create trigger imported_stays before delete or update on gdpr.imported
for each row execute function gdpr.refuse_change();
create trigger imported_stays_whole before truncate on gdpr.imported
for each statement execute function gdpr.refuse_change();
create trigger epoch_stays before delete or update on gdpr.epoch
for each row execute function gdpr.refuse_change();
create trigger epoch_stays_whole before truncate on gdpr.epoch
for each statement execute function gdpr.refuse_change();

alter table gdpr.comparison enable always trigger comparison_stays;
alter table gdpr.comparison enable always trigger comparison_stays_whole;
alter table gdpr.restoration enable always trigger restoration_stays;
alter table gdpr.restoration enable always trigger restoration_stays_whole;
alter table gdpr.imported enable always trigger imported_stays;
alter table gdpr.imported enable always trigger imported_stays_whole;
alter table gdpr.epoch enable always trigger epoch_stays;
alter table gdpr.epoch enable always trigger epoch_stays_whole;

create function gdpr.restoring() returns uuid
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select r.id
    from gdpr.restoration as r
    where r.size > coalesce((select max(h.size) from gdpr.tree_head as h), 0)
      -- Given up for another epoch.
      and not exists (
        select
        from gdpr.epoch as p
        join gdpr.entry as e on e.event_id = p.event and e.writer = 'gdpr_audit'
        where p.at > r.at
      )
    order by r.at desc
    limit 1
  );
end
$$;
comment on function gdpr.restoring is 'The restoration that has begun and not ended.';
grant execute on function gdpr.restoring to gdpr_audit, gdpr_verify;

create function gdpr.standing() returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if gdpr.restoring() is not null then
    return 'behind';
  end if;
  return coalesce(
    (
      select c.state
      from gdpr.comparison as c
      where c.server_started = pg_postmaster_start_time()
        and c.database = (select d.oid from pg_database as d where d.datname = current_database())
      order by c.id desc
      limit 1
    ),
    case when exists (select from gdpr.anchor) then 'unknown' else 'whole' end
  );
end
$$;
comment on function gdpr.standing is
'What this ledger is beside what was anchored: whole, behind, forked, or unknown since the server was started.';
grant execute on function gdpr.standing to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;

create function gdpr.record_comparison(state text, origin text, size bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  place oid := (select d.oid from pg_database as d where d.datname = current_database());
begin
  if record_comparison.state = 'whole' and gdpr.restoring() is not null then
    raise exception 'a restoration has begun and not ended' using errcode = 'object_not_in_prerequisite_state';
  end if;
  insert into gdpr.comparison (state, origin, size, database)
  select record_comparison.state, record_comparison.origin, record_comparison.size, place
  where record_comparison.state is distinct from (
    select c.state
    from gdpr.comparison as c
    where c.server_started = pg_postmaster_start_time() and c.database = place
    order by c.id desc
    limit 1
  );
  return gdpr.standing();
end
$$;
comment on function gdpr.record_comparison is
'What the ledger was found to be, where that is news. The answer is its standing.';
grant execute on function gdpr.record_comparison to gdpr_audit;

create function gdpr.begin_restoration(
  origin text, kept bigint, size bigint, root bytea, note text, digests bytea, by_role text, decided_at timestamptz
) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made uuid;
begin
  -- Whoever takes entries into the tree has done so before this, or finds that it has begun.
  lock table gdpr.leaf in share row exclusive mode;
  made := gdpr.restoring();
  if made is not null then
    return made;
  end if;
  if gdpr.standing() = 'whole' then
    raise exception 'this ledger is what was anchored' using errcode = 'object_not_in_prerequisite_state';
  end if;
  if begin_restoration.kept <> coalesce((select max(h.size) from gdpr.tree_head as h), 0) then
    return null;  -- the tree has grown meanwhile
  end if;
  insert into gdpr.restoration (origin, kept, size, root, note, digests, by_role, decided_at)
  values (
    begin_restoration.origin, begin_restoration.kept, begin_restoration.size, begin_restoration.root,
    begin_restoration.note, begin_restoration.digests, begin_restoration.by_role, begin_restoration.decided_at
  )
  returning id into made;
  return made;
end
$$;
comment on function gdpr.begin_restoration is
'From now on the tree grows by what was anchored alone. The answer is the restoration; null where the tree has grown.';
grant execute on function gdpr.begin_restoration to gdpr_audit;

create function gdpr.is_entry(body bytea) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  told text;
  read jsonb;
begin
  if is_entry.body is null or octet_length(is_entry.body) not between 2 and 65535 or get_byte(is_entry.body, 0) <> 1 then
    return false;
  end if;
  told := convert_from(substr(is_entry.body, 2), 'UTF8');
  if told is not json object with unique keys or told ~ '[^!-\[\]-~]' or told ~ '@[^"]*\.[A-Za-z]{2,}' then
    return false;
  end if;
  read := told::jsonb;
  return exists (
    select from gdpr.entry_kind as k where k.kind = read ->> 'kind' and k.writer = read ->> 'writer'
  )
  and not exists (
    select from jsonb_object_keys(read) as k (name) where k.name not in (select f.field from gdpr.entry_field as f)
  )
  and read ? 'at' and read ->> 'event' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
  and coalesce(read ->> 'request' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', true)
  and coalesce(read ->> 'subject' ~ '^[0-9a-f]{64}$', true);
end
$$;

create function gdpr.import_leaves(restoration uuid, first bigint, bodies bytea[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
  begun gdpr.restoration;
  head gdpr.tree_head;
  known bigint;
  upto bigint;
  horizon xid8;
  hashes bytea[];
  ids bigint[];
  grown record;
begin
  select * into begun from gdpr.restoration as r where r.id = import_leaves.restoration for update;
  if not found then
    raise exception 'there is no such restoration' using errcode = 'no_data_found';
  end if;
  select * into head from gdpr.tree_head as h order by h.size desc limit 1;
  known := coalesce(head.size, 0);
  if known >= begun.size or import_leaves.first < known then
    return known;  -- somebody else was faster
  end if;
  upto := least(begun.size, (known / 256 + 1) * 256);
  if gdpr.restoring() is distinct from begun.id or import_leaves.first is distinct from known
    or cardinality(import_leaves.bodies) is distinct from (upto - known)::integer
  then
    raise exception 'this is not what a restoration takes next' using errcode = 'object_not_in_prerequisite_state';
  end if;

  select array_agg(sha256('\x00'::bytea || b.body) order by b.place) into hashes
  from unnest(import_leaves.bodies) with ordinality as b (body, place);
  -- Nothing but what gave the root that was signed, before any of it was taken over.
  if (
      select sha256(string_agg(n.hash, ''::bytea order by n.place))
      from unnest(hashes) with ordinality as n (hash, place)
    )
    is distinct from substr(begun.digests, (32 * (known / 256 - begun.kept / 256) + 1)::integer, 32)
  then
    raise exception 'these are not the entries that were compared with the checkpoint' using errcode = 'data_corrupted';
  end if;
  if exists (select from unnest(import_leaves.bodies) as b (body) where not gdpr.is_entry(b.body)) then
    raise exception 'what was anchored is no entry that anybody here may write' using errcode = 'check_violation';
  end if;

  -- What was written before the backup and taken into the tree after it stands here already.
  with told as (
    select convert_from(substr(b.body, 2), 'UTF8')::jsonb as said, b.body, b.place
    from unnest(import_leaves.bodies) with ordinality as b (body, place)
  ),
  new as (
    insert into gdpr.entry (written_at, writer, kind, event_id, body, leaf_hash, request, subject)
    select
      (t.said ->> 'at')::timestamptz, t.said ->> 'writer', t.said ->> 'kind', (t.said ->> 'event')::uuid, t.body,
      sha256('\x00'::bytea || t.body), (t.said ->> 'request')::uuid, decode(t.said ->> 'subject', 'hex')
    from told as t
    order by t.place
    on conflict on constraint entry_event do nothing
    returning id
  )
  insert into gdpr.imported (entry_id, restoration)
  select n.id, begun.id
  from new as n;
  select array_agg(e.id order by b.place) into ids
  from unnest(import_leaves.bodies) with ordinality as b (body, place)
  join gdpr.entry as e
    on e.writer = convert_from(substr(b.body, 2), 'UTF8')::jsonb ->> 'writer'
    and e.event_id = (convert_from(substr(b.body, 2), 'UTF8')::jsonb ->> 'event')::uuid
  where e.leaf_hash = sha256('\x00'::bytea || b.body);
  if cardinality(ids) is distinct from cardinality(hashes) then
    raise exception 'another entry stands here under the event of one that was anchored' using errcode = 'GD002';
  end if;

  insert into gdpr.leaf (leaf_index, entry_id, leaf_hash)
  select known + n.place - 1, n.id, n.hash
  from unnest(ids, hashes) with ordinality as n (id, hash, place);
  horizon := coalesce(head.horizon, '0');
  if pg_snapshot_xmax(pg_current_snapshot()) < horizon then
    horizon := '0';
  end if;
  grown := gdpr.grow(known, coalesce(head.edge, ''), hashes, horizon);
  if grown.size > begun.size or (grown.size = begun.size and grown.root <> begun.root) then
    raise exception 'these entries do not give the root that was signed' using errcode = 'data_corrupted';
  end if;
  return grown.size;
end
$$;
comment on function gdpr.import_leaves is
'Takes over the next bundle of entries, whoever wrote them, with their places in the tree. The answer is its size.';
grant execute on function gdpr.import_leaves to gdpr_audit;


-- The tree and the register, which wait -------------------------------------------------------------------------------

create function gdpr.grow(
  known bigint, known_edge bytea, hashes bytea[], horizon xid8, out size bigint, out root bytea
)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  nodes bytea[] := grow.hashes;  -- the new hashes of a level, from left to right
  first bigint;   -- the index of the first of the new hashes within its level
  above integer := 0;  -- the level
  used integer := 0;   -- how many roots of the old edge have been read
  edge bytea := '';
  peak bytea;
begin
  first := known;
  while cardinality(nodes) > 0 or octet_length(grow.known_edge) > 32 * used loop
    if (known >> above) % 2 = 1 then
      peak := substr(grow.known_edge, 32 * used + 1, 32);
      used := used + 1;
      if cardinality(nodes) > 0 then
        nodes := peak || nodes;
        first := first - 1;
        peak := null;
      end if;
    else
      peak := null;
    end if;
    if cardinality(nodes) % 2 = 1 then
      peak := nodes[cardinality(nodes)];
    end if;
    if peak is not null then
      edge := edge || peak;
      root := case when root is null then peak else sha256('\x01'::bytea || peak || root) end;
    end if;

    select coalesce(array_agg(sha256('\x01'::bytea || p.hash || p.next) order by p.place), '{}')
    into nodes
    from (
      select n.hash, lead(n.hash) over (order by n.place) as next, n.place
      from unnest(nodes) with ordinality as n (hash, place)
    ) as p
    where p.place % 2 = 1 and p.next is not null;
    first := first / 2;
    above := above + 1;

    if above = 8 then
      insert into gdpr.tile (level, idx, hashes, root)
      select
        0, first + n.place - 1,
        (
          select string_agg(l.leaf_hash, ''::bytea order by l.leaf_index)
          from gdpr.leaf as l
          where l.leaf_index between (first + n.place - 1) * 256 and (first + n.place - 1) * 256 + 255
        ),
        n.hash
      from unnest(nodes) with ordinality as n (hash, place);
    elsif above % 8 = 0 then
      insert into gdpr.tile (level, idx, hashes, root)
      select
        above / 8 - 1, first + n.place - 1,
        (
          select string_agg(t.root, ''::bytea order by t.idx)
          from gdpr.tile as t
          where t.level = above / 8 - 2
            and t.idx between (first + n.place - 1) * 256 and (first + n.place - 1) * 256 + 255
        ),
        n.hash
      from unnest(nodes) with ordinality as n (hash, place);
    end if;
  end loop;

  size := known + cardinality(grow.hashes);
  insert into gdpr.tree_head (size, root, edge, horizon) values (grow.size, grow.root, edge, grow.horizon);
end
$$;

create or replace function gdpr.sequence(most integer default 10000, insist boolean default false) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
-- However large the ledger is, what is new is found by two indexes.
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
  head gdpr.tree_head;
  horizon xid8;
  oldest xid8;
  latest xid8;
  ids bigint[];
  hashes bytea[];
  sound boolean;
  known bigint;  -- the size of the tree as it was
begin
  -- A hint that spares two runs the same work. Whoever holds this lock for ever only makes us insist.
  if not pg_try_advisory_xact_lock(1181774130) and not insist then
    return null;
  end if;
  -- Whoever begins a restoration waits for us, or we see that it has begun; an older snapshot would not.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the sequencer runs in a transaction of its own' using errcode = 'invalid_transaction_state';
  end if;
  lock table gdpr.leaf in row exclusive mode;
  -- A place in the tree may be another entry's: of one that was anchored and that a restored backup does not have.
  if gdpr.standing() <> 'whole' then
    return null;
  end if;
  select * into head from gdpr.tree_head as h order by h.size desc limit 1;
  known := coalesce(head.size, 0);
  horizon := coalesce(head.horizon, '0');
  -- Transactions are counted anew in a cluster that was restored from a dump.
  if pg_snapshot_xmax(pg_current_snapshot()) < horizon then
    horizon := '0';
  end if;
  oldest := pg_snapshot_xmin(pg_current_snapshot());

  -- The anti-join decides what is new; the horizon only bounds where we look.
  select array_agg(b.id order by b.xid, b.id), array_agg(b.leaf_hash order by b.xid, b.id),
    bool_and(b.leaf_hash = sha256('\x00'::bytea || b.body)), max(b.xid)
  into ids, hashes, sound, latest
  from (
    select e.id, e.xid, e.leaf_hash, e.body
    from gdpr.entry as e
    where e.xid >= horizon and not exists (select from gdpr.leaf as l where l.entry_id = e.id)
    order by e.xid, e.id
    limit sequence.most
  ) as b;
  if ids is null then
    return known;
  end if;
  if not sound then
    raise exception 'an entry of the ledger is no longer what was written' using errcode = 'data_corrupted';
  end if;
  if cardinality(ids) = sequence.most then
    oldest := least(oldest, latest);  -- there may be more
  end if;

  begin
    insert into gdpr.leaf (leaf_index, entry_id, leaf_hash)
    select known + n.place - 1, n.id, n.hash
    from unnest(ids, hashes) with ordinality as n (id, hash, place);
  exception when unique_violation then
    return null;  -- another run was faster; it has done what this one would
  end;

  return (gdpr.grow(known, coalesce(head.edge, ''), hashes, oldest)).size;
end
$$;

create or replace function gdpr.claim_request(action text, seconds integer, request_id uuid default null)
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
  -- A restored database has forgotten what was done, held and withdrawn since its backup (threat model A2).
  if gdpr.standing() <> 'whole' then
    return;
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

create or replace function gdpr.move_request(
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
  if standing.status = move_request.to_status and (
    standing.code is not distinct from move_request.code
    or not exists (
      select from gdpr.request_step as s
      where s.action = standing.action and s.from_status = standing.status and s.to_status = standing.status
        and s.role = session_user
    )
  ) then
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

create function gdpr.refuse_registration() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if gdpr.standing() in ('behind', 'forked') then
    raise exception 'this ledger is not what was anchored' using errcode = 'GD001';
  end if;
  return null;
end
$$;
create trigger request_waits before insert on gdpr.request
for each statement execute function gdpr.refuse_registration();

insert into gdpr.request_step (action, from_status, to_status, role) values
('export', 'in_progress', 'blocked', 'gdpr_audit'),
('export', 'incomplete', 'blocked', 'gdpr_audit'),
('export', 'failed', 'blocked', 'gdpr_audit'),
('export', 'blocked', 'blocked', 'gdpr_audit'),
('erase', 'in_progress', 'blocked', 'gdpr_audit'),
('erase', 'incomplete', 'blocked', 'gdpr_audit'),
('erase', 'failed', 'blocked', 'gdpr_audit'),
('erase', 'blocked', 'blocked', 'gdpr_audit');
