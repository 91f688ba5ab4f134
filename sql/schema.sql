-- Schema gdpr: the whole truth for a new installation. sql/migrations/ brings an older one to the same state, and a
-- test holds the two together.
--
-- Run inside one transaction, after sql/roles.sql, with the schema created for gdpr_owner and that role assumed.
-- What stands here belongs to gdpr_owner, which nobody logs in as; each table is followed by who may do what with it.

-- Every function names its search path, with pg_temp last: a caller's temporary type or table must not stand for ours.

-- A function is nobody's until it is given to somebody.
alter default privileges for role gdpr_owner revoke execute on functions from public;

grant usage on schema gdpr to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;


-- Versions ----------------------------------------------------------------------------------------------------------

create table gdpr.migration (
  version integer primary key check (version > 0),
  name text not null,
  applied_at timestamptz not null default clock_timestamp()
);
comment on table gdpr.migration is 'Which of sql/migrations/ this schema contains.';
grant select on gdpr.migration to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;


-- The plans ---------------------------------------------------------------------------------------------------------

create table gdpr.plan (
  map_digest text not null,
  fingerprint text not null,
  -- The plan itself, in UTF-8: bytes and not jsonb, so that its digest stays what it was.
  body bytea not null,
  digest text not null generated always as (encode(sha256(body), 'hex')) stored,
  is_active boolean not null default false,
  stored_by name not null,
  stored_at timestamptz not null default clock_timestamp(),
  -- The document that gdpr map catalogue writes; null where a plan came without it. Nothing in it that Postgres' own
  -- catalogue does not show to every role. It is kept out of line, so that who loads the plan does not read it.
  catalogue text,
  primary key (map_digest, fingerprint),
  constraint plan_map_digest check (map_digest ~ '^[0-9a-f]{64}$'),
  constraint plan_fingerprint check (fingerprint ~ '^[0-9a-f]{64}$'),
  -- What the functions load is what its columns say.
  constraint plan_body check (
    convert_from(body, 'UTF8') is json object with unique keys
    and convert_from(body, 'UTF8')::json ->> 'fingerprint' = fingerprint
  ),
  -- What it was compiled for is what it says.
  constraint plan_catalogue check (catalogue is json object and catalogue::json ->> 'fingerprint' = fingerprint)
);
comment on table gdpr.plan is
'Compiled plans; the active one is what the functions go by. Decisions and statements, no personal data.';
-- One plan at a time.
create unique index plan_active on gdpr.plan (is_active) where is_active;
grant select on gdpr.plan to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;

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


-- The ledger --------------------------------------------------------------------------------------------------------

-- Who may write what. Rows are added by migrations only.
create table gdpr.entry_kind (
  kind text not null check (kind ~ '^[a-z][a-z_.]{0,62}$'),
  writer name not null,
  primary key (kind, writer)
);
comment on table gdpr.entry_kind is 'The kinds of ledger entry, each with the roles that may write it.';

insert into gdpr.entry_kind (kind, writer) values
('export.started', 'gdpr_export'),
('export.completed', 'gdpr_export'),
('export.failed', 'gdpr_export'),
('erasure.started', 'gdpr_erase'),
('erasure.executed', 'gdpr_erase'),
('erasure.failed', 'gdpr_erase'),
('erasure.verified', 'gdpr_verify'),
('erasure.completed', 'gdpr_verify'),
('request.registered', 'gdpr_audit'),
('request.changed', 'gdpr_audit'),
('record.made', 'gdpr_audit'),
('ledger.anchored', 'gdpr_audit'),
('ledger.heartbeat', 'gdpr_audit'),
('ledger.key_rotated', 'gdpr_audit'),
('ledger.origin_opened', 'gdpr_audit'),
('ledger.queried', 'gdpr_audit'),
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
('record.disclosure', 'gdpr_audit'),
('ledger.restored', 'gdpr_audit'),
('request.suspended', 'gdpr_audit'),
('request.reinstated', 'gdpr_audit'),
('map.activated', 'gdpr_audit'),
('role.rotated', 'gdpr_audit');

-- The allow-list of an entry. Rows are added by migrations only.
create table gdpr.entry_field (
  field text primary key check (field ~ '^[a-z][a-z_]{0,30}$')
);
comment on table gdpr.entry_field is 'What a ledger entry may hold besides its kind, writer and event.';
grant select on gdpr.entry_field to gdpr_audit, gdpr_verify;

insert into gdpr.entry_field (field) values
('at'), ('before'), ('code'), ('deadlines'), ('detail'), ('digest'), ('event'), ('kept'), ('key'), ('kind'), ('method'),
('note'), ('origin'), ('reasons'), ('request'), ('right'), ('role'), ('root'), ('rows'), ('size'), ('status'),
('subject'), ('version'), ('versions'), ('writer');

create table gdpr.entry (
  id bigint generated always as identity primary key,
  -- Lets the sequencer skip what it has certainly seen; never decides what it has seen.
  xid xid8 not null default pg_current_xact_id(),
  written_at timestamptz not null default clock_timestamp(),
  writer name not null,
  kind text not null,
  event_id uuid not null,
  body bytea not null,
  leaf_hash bytea not null,
  -- Beside the body, which alone is hashed: what entries are found by.
  request uuid,
  subject bytea,
  -- A retry writes the same event again; an id that another role has used is not taken by it.
  constraint entry_event unique (writer, event_id),
  -- The first byte is the version of the format. The bound is the one of C2SP log entries.
  constraint entry_body check (octet_length(body) between 2 and 65535 and get_byte(body, 0) = 1),
  -- What is hashed is what is stored (RFC 6962: a leaf is hashed behind a zero byte).
  constraint entry_leaf check (leaf_hash = sha256('\x00'::bytea || body))
);
-- What the sequencer has certainly seen need not be looked through again.
create index entry_xid on gdpr.entry (xid, id);
create index entry_of_request on gdpr.entry (request, id) where request is not null;
create index entry_of_subject on gdpr.entry (subject, id) where subject is not null;
create index entry_time on gdpr.entry using brin (written_at);
-- Which epochs there have been, the ledger itself knows.
create index entry_opening on gdpr.entry (id) where kind = 'ledger.origin_opened';
comment on table gdpr.entry is 'What happened: codes, counts and references, no personal data. Append-only.';
grant select on gdpr.entry to gdpr_audit, gdpr_verify;
grant select on gdpr.entry_kind to gdpr_audit, gdpr_verify;

create function gdpr.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the ledger is append-only' using
    errcode = 'insufficient_privilege',
    hint = 'write a new entry that says what was wrong with the old one';
end
$$;

-- ENABLE ALWAYS: they also fire under session_replication_role = replica.
create trigger entry_stays before update or delete on gdpr.entry
for each row execute function gdpr.refuse_change();
alter table gdpr.entry enable always trigger entry_stays;

create trigger entry_stays_whole before truncate on gdpr.entry
for each statement execute function gdpr.refuse_change();
alter table gdpr.entry enable always trigger entry_stays_whole;

create function gdpr.append(event_id uuid, body bytea) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  leaf bytea := sha256('\x00'::bytea || append.body);
  told text;
  read jsonb;
  claimed text;
  is_theirs boolean;
  fields text[];
  standing bytea;
  -- Of the names of a level, each comes behind the one before.
  part text;
  name text collate "C";
  before text[] collate "C" := '{}';
  depth integer := 0;
  is_text boolean := true;
begin
  -- An error of ours says what is wrong and never what stood in the body.
  if append.body is null or append.event_id is null
    or octet_length(append.body) not between 2 and 65535 or get_byte(append.body, 0) <> 1
  then
    raise exception 'a ledger entry needs an event id and a body of format 1' using errcode = 'check_violation';
  end if;
  told := convert_from(substr(append.body, 2), 'UTF8');
  -- With a key twice, two readers could see two kinds.
  if told is not json object with unique keys then
    raise exception 'the body of a ledger entry is no JSON object with each key once' using errcode = 'check_violation';
  end if;
  -- Codes, counts and references need no blank, no escape and no foreign letter; what people write does.
  if told ~ '[^!-\[\]-~]|@[^"]*\.[A-Za-z]{2,}' then
    raise exception 'a ledger entry holds codes, counts and references, and no text' using errcode = 'check_violation';
  end if;
  read := told::jsonb;
  claimed := read ->> 'kind';
  select
    exists (select from gdpr.entry_kind as k where k.kind = claimed and k.writer = session_user),
    array(select f.field from gdpr.entry_field as f)
  into is_theirs, fields;
  if not is_theirs then
    raise exception 'role % may not write ledger entries of this kind', session_user
      using errcode = 'insufficient_privilege';
  end if;
  if read - fields <> '{}' then
    raise exception 'a ledger entry has no such field' using errcode = 'check_violation';
  end if;
  -- The body alone is hashed and goes outside: it says by itself whose it is.
  if read ->> 'writer' is distinct from session_user::text or read ->> 'event' is distinct from append.event_id::text then
    raise exception 'a ledger entry names another writer or event than its own' using errcode = 'check_violation';
  end if;

  -- Whoever reads it, in whatever year, finds it written in its one way: an entry that cannot be read stays for ever.
  if not read ? 'at'
    or read ->> 'at' !~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$'
    or read ->> 'request' !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    or read ->> 'subject' !~ '^[0-9a-f]{64}$'
    -- Numbers are whole ones, nothing is null, and lists hold texts.
    or told ~ '":(-|\d+[.eE]|[tfn])|[\[,][^"\]]'
    or jsonb_path_exists(read, '$.*.*.*.*')
  then
    raise exception 'a ledger entry is not written in its one way' using errcode = 'check_violation';
  end if;
  -- Between quotes stands, in turns, what is outside of texts and what is inside: no text holds a quote.
  foreach part in array string_to_array(told, '"') loop
    is_text := not is_text;
    if is_text then
      name := part;
    else
      if starts_with(part, ':') then
        if name <= before[depth] then
          raise exception 'a ledger entry is not written in its one way' using errcode = 'check_violation';
        end if;
        before[depth] := name;
      end if;
      depth := depth + length(replace(part, '}', '')) - length(replace(part, '{', ''));
      if right(part, 1) = '{' then
        before[depth] := null;
      end if;
    end if;
  end loop;

  insert into gdpr.entry (writer, kind, event_id, body, leaf_hash, request, subject)
  values (
    session_user, claimed, append.event_id, append.body, leaf,
    (read ->> 'request')::uuid, decode(read ->> 'subject', 'hex')
  )
  on conflict on constraint entry_event do nothing;
  if not found then
    select e.leaf_hash into standing
    from gdpr.entry as e
    where e.writer = session_user and e.event_id = append.event_id;
    if standing is distinct from leaf then
      raise exception 'another ledger entry stands under this event id' using errcode = 'unique_violation';
    end if;
  end if;
  return leaf;
end
$$;
comment on function gdpr.append is
'The only door into the ledger: one plain insert in the caller''s own transaction. The answer is the leaf hash.';
grant execute on function gdpr.append to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;


-- The tree ------------------------------------------------------------------------------------------------------------

-- The order of the entries. It is decided here and not by their ids, which are given before the commit.
create table gdpr.leaf (
  leaf_index bigint primary key check (leaf_index >= 0),
  entry_id bigint not null,
  leaf_hash bytea not null,
  -- An entry is in the tree once.
  constraint leaf_entry unique (entry_id),
  constraint leaf_hash check (octet_length(leaf_hash) = 32)
);
comment on table gdpr.leaf is 'The leaves of the Merkle tree, without a gap from 0. Append-only.';

-- 256 hashes of one level as C2SP tiles have them, and the hash of the perfect tree over them, which is one hash of
-- the tile above. Full tiles only: those at the right edge are made from what is below.
create table gdpr.tile (
  level smallint not null check (level between 0 and 7),
  idx bigint not null check (idx >= 0),
  hashes bytea not null check (octet_length(hashes) = 256 * 32),
  root bytea not null check (octet_length(root) = 32),
  primary key (level, idx)
);
comment on table gdpr.tile is 'The full tiles of the Merkle tree. Append-only.';
-- Hashes do not compress, and a tile is larger than a page.
alter table gdpr.tile alter column hashes set storage external;

create table gdpr.tree_head (
  size bigint primary key check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  -- The roots of the perfect trees that this one consists of, the smallest first: all that the next leaf needs.
  edge bytea not null,
  -- Every entry of an older transaction is in the tree, or will never be there.
  horizon xid8 not null,
  at timestamptz not null default clock_timestamp(),
  constraint tree_head_edge check (octet_length(edge) = 32 * bit_count(size::bit (64)))
);
comment on table gdpr.tree_head is 'The Merkle tree as each run of the sequencer left it. Append-only.';

create table gdpr.anchor (
  origin text not null check (origin ~ '^[!-*,-~]{1,200}$'),
  size bigint not null check (size > 0),
  -- The signed checkpoint, as it lies outside.
  note text not null check (octet_length(note) <= 4096),
  -- What the bucket calls it.
  version text,
  at timestamptz not null default clock_timestamp(),
  primary key (origin, size)
);
comment on table gdpr.anchor is 'The checkpoints that lie outside, where nobody here can change them. Append-only.';

grant select on gdpr.leaf, gdpr.tile, gdpr.tree_head, gdpr.anchor to gdpr_audit, gdpr_verify;
grant insert (origin, size, note, version) on gdpr.anchor to gdpr_audit;

create trigger leaf_stays before delete or update on gdpr.leaf
for each row execute function gdpr.refuse_change();
create trigger leaf_stays_whole before truncate on gdpr.leaf
for each statement execute function gdpr.refuse_change();
create trigger tile_stays before delete or update on gdpr.tile
for each row execute function gdpr.refuse_change();
create trigger tile_stays_whole before truncate on gdpr.tile
for each statement execute function gdpr.refuse_change();
create trigger tree_head_stays before delete or update on gdpr.tree_head
for each row execute function gdpr.refuse_change();
create trigger tree_head_stays_whole before truncate on gdpr.tree_head
for each statement execute function gdpr.refuse_change();
create trigger anchor_stays before delete or update on gdpr.anchor
for each row execute function gdpr.refuse_change();
create trigger anchor_stays_whole before truncate on gdpr.anchor
for each statement execute function gdpr.refuse_change();

alter table gdpr.leaf enable always trigger leaf_stays;
alter table gdpr.leaf enable always trigger leaf_stays_whole;
alter table gdpr.tile enable always trigger tile_stays;
alter table gdpr.tile enable always trigger tile_stays_whole;
alter table gdpr.tree_head enable always trigger tree_head_stays;
alter table gdpr.tree_head enable always trigger tree_head_stays_whole;
alter table gdpr.anchor enable always trigger anchor_stays;
alter table gdpr.anchor enable always trigger anchor_stays_whole;

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

create function gdpr.sequence(most integer default 10000, insist boolean default false) returns bigint
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
comment on function gdpr.sequence is
'Takes new entries into the tree. The answer is its size, or null where another run is at it. In a transaction of its own.';
grant execute on function gdpr.sequence to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;


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


-- People -------------------------------------------------------------------------------------------------------------

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


-- The register of requests ------------------------------------------------------------------------------------------

create table gdpr.request (
  id uuid primary key default gen_random_uuid(),
  subject_request_id uuid not null,
  action text not null,
  status text not null default 'in_progress',
  -- When the controller got it, on whatever way: the law's clock starts here, so it is never filled in by default.
  received_at timestamptz not null,
  registered_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  request_type text not null,
  kind text not null,
  -- Gone with the person's key: what remains is that somebody asked.
  person bytea references gdpr.subject_key (person) on delete set null,
  -- What was asked for, without who asked: the same again is the same request.
  terms bytea not null,
  -- Why the status is what it is, where it needs a reason.
  code text,
  decision jsonb not null,
  options jsonb not null,
  -- Every date, and what they were computed by (shared/deadlines.py).
  deadline jsonb not null,
  due_at timestamptz not null,
  target_date date not null,
  -- The worker that has it, until when, and how often it has been taken: each write names the number it was taken with.
  leased_until timestamptz,
  fence bigint not null default 0,
  -- The same request may come twice; it is the same request then.
  constraint request_once unique (subject_request_id, action),
  constraint request_action check (action in ('export', 'erase')),
  constraint request_status check (
    status in (
      'in_progress', 'completed', 'incomplete', 'refused', 'not_identified', 'blocked', 'rejected', 'failed',
      'withdrawn', 'suspended_by_restore'
    )
  ),
  -- Nobody receives a request after registering it, nor before there was a law to ask by.
  constraint request_received check (received_at between timestamptz '2018-05-25 00:00Z' and registered_at),
  constraint request_of_type check (
    (request_type in ('access', 'portability') and action = 'export') or (request_type = 'erasure' and action = 'erase')
  ),
  constraint request_terms check (octet_length(terms) = 32),
  constraint request_code check (code ~ '^[a-z][a-z_]{0,40}$'),
  constraint request_words check (
    kind ~ '^[a-z][a-z0-9_.-]{0,62}$'
    and jsonb_typeof(decision) = 'object' and jsonb_typeof(options) = 'object' and jsonb_typeof(deadline) = 'object'
    and octet_length(decision::text) <= 4096 and octet_length(options::text) <= 4096
  )
);
comment on table gdpr.request is 'Every request, once. No personal data: who it is about is sealed elsewhere.';
grant select on gdpr.request to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;
create index request_of_person on gdpr.request (person) where person is not null;
-- What is to be done next.
create index request_open on gdpr.request (due_at) where status in ('in_progress', 'incomplete', 'failed', 'blocked');

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

-- Which role may move a request from which status to which. Rows are added by migrations only.
create table gdpr.request_step (
  action text not null,
  from_status text not null,
  to_status text not null,
  role name not null,
  primary key (action, from_status, to_status, role)
);
comment on table gdpr.request_step is 'The allowed steps of a request, and whose they are.';
grant select on gdpr.request_step to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;

insert into gdpr.request_step (action, from_status, to_status, role) values
('export', 'in_progress', 'completed', 'gdpr_export'),
('export', 'in_progress', 'incomplete', 'gdpr_export'),
('export', 'in_progress', 'failed', 'gdpr_export'),
('export', 'in_progress', 'blocked', 'gdpr_export'),
('export', 'incomplete', 'in_progress', 'gdpr_export'),
('export', 'failed', 'in_progress', 'gdpr_export'),
('export', 'blocked', 'in_progress', 'gdpr_audit'),
('export', 'in_progress', 'not_identified', 'gdpr_audit'),
('export', 'in_progress', 'refused', 'gdpr_audit'),
-- Only verification, which is not who erased, says that an erasure is completed.
('erase', 'in_progress', 'completed', 'gdpr_verify'),
('erase', 'in_progress', 'incomplete', 'gdpr_verify'),
('erase', 'in_progress', 'failed', 'gdpr_erase'),
('erase', 'in_progress', 'blocked', 'gdpr_erase'),
('erase', 'incomplete', 'in_progress', 'gdpr_erase'),
('erase', 'failed', 'in_progress', 'gdpr_erase'),
('erase', 'blocked', 'in_progress', 'gdpr_audit'),
('erase', 'in_progress', 'not_identified', 'gdpr_audit'),
('erase', 'in_progress', 'refused', 'gdpr_audit'),
('export', 'incomplete', 'refused', 'gdpr_audit'),
('export', 'failed', 'refused', 'gdpr_audit'),
('export', 'blocked', 'refused', 'gdpr_audit'),
('export', 'in_progress', 'withdrawn', 'gdpr_export'),
('export', 'incomplete', 'withdrawn', 'gdpr_export'),
('export', 'failed', 'withdrawn', 'gdpr_export'),
('erase', 'incomplete', 'refused', 'gdpr_audit'),
('erase', 'failed', 'refused', 'gdpr_audit'),
('erase', 'blocked', 'refused', 'gdpr_audit'),
('export', 'in_progress', 'blocked', 'gdpr_audit'),
('export', 'incomplete', 'blocked', 'gdpr_audit'),
('export', 'failed', 'blocked', 'gdpr_audit'),
('export', 'blocked', 'blocked', 'gdpr_audit'),
('erase', 'in_progress', 'blocked', 'gdpr_audit'),
('erase', 'incomplete', 'blocked', 'gdpr_audit'),
('erase', 'failed', 'blocked', 'gdpr_audit'),
('erase', 'blocked', 'blocked', 'gdpr_audit');

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


-- Legal holds --------------------------------------------------------------------------------------------------------

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
