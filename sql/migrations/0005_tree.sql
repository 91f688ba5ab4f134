-- The Merkle tree over the ledger's entries, and what an entry may say.

-- What an entry may say -----------------------------------------------------------------------------------------------

insert into gdpr.entry_kind (kind, writer) values
('ledger.anchored', 'gdpr_audit'),
('ledger.heartbeat', 'gdpr_audit'),
('ledger.key_rotated', 'gdpr_audit'),
('ledger.origin_opened', 'gdpr_audit'),
('ledger.queried', 'gdpr_audit');

-- The allow-list of an entry. Rows are added by migrations only.
create table gdpr.entry_field (
  field text primary key check (field ~ '^[a-z][a-z_]{0,30}$')
);
comment on table gdpr.entry_field is 'What a ledger entry may hold besides its kind, writer and event.';
grant select on gdpr.entry_field to gdpr_audit, gdpr_verify;

insert into gdpr.entry_field (field) values
('at'), ('code'), ('deadlines'), ('detail'), ('digest'), ('event'), ('key'), ('kind'), ('method'), ('note'), ('origin'),
('reasons'), ('request'), ('right'), ('role'), ('root'), ('rows'), ('size'), ('status'), ('subject'), ('version'),
('versions'), ('writer');

-- Beside the body, which alone is hashed: what entries are found by.
alter table gdpr.entry
add column request uuid,
add column subject bytea;
create index entry_of_request on gdpr.entry (request, id) where request is not null;
create index entry_of_subject on gdpr.entry (subject, id) where subject is not null;
create index entry_time on gdpr.entry using brin (written_at);

create or replace function gdpr.append(event_id uuid, body bytea) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  leaf bytea := sha256('\x00'::bytea || append.body);
  told text;
  read jsonb;
  claimed text;
  standing bytea;
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
  if told ~ '[^!-\[\]-~]' or told ~ '@[^"]*\.[A-Za-z]{2,}' then
    raise exception 'a ledger entry holds codes, counts and references, and no text' using errcode = 'check_violation';
  end if;
  read := told::jsonb;
  claimed := read ->> 'kind';
  if not exists (
    select from gdpr.entry_kind as k where k.kind = claimed and k.writer = session_user
  ) then
    raise exception 'role % may not write ledger entries of this kind', session_user
      using errcode = 'insufficient_privilege';
  end if;
  if exists (
    select from jsonb_object_keys(read) as k (name) where k.name not in (select f.field from gdpr.entry_field as f)
  ) then
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
    or told ~ '":(-|\d+[.eE]|[tfn])' or told ~ '[\[,][^"\]]'
    or jsonb_path_exists(read, '$.*.*.*.*')
    or exists (
      select
      from (
        select told::json
        union all
        select v.value from json_each(told::json) as v where json_typeof(v.value) = 'object'
        union all
        select v.value from json_each(told::json -> 'rows') as v where read @? '$.rows.*.*'
      ) as o (value)
      where json_typeof(o.value) = 'object'
        and array(select json_object_keys(o.value))
        <> array(select k.name from json_object_keys(o.value) as k (name) order by k.name collate "C")
    )
  then
    raise exception 'a ledger entry is not written in its one way' using errcode = 'check_violation';
  end if;

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


-- The tree ------------------------------------------------------------------------------------------------------------

-- What the sequencer has certainly seen need not be looked through again.
create index entry_xid on gdpr.entry (xid, id);

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
  nodes bytea[];  -- the new hashes of a level, from left to right
  sound boolean;
  known bigint;   -- the size of the tree as it was
  first bigint;   -- the index of the first of the new hashes within its level
  above integer := 0;  -- the level
  used integer := 0;   -- how many roots of the old edge have been read
  edge bytea := '';
  peak bytea;
  root bytea;
begin
  -- A hint that spares two runs the same work. Whoever holds this lock for ever only makes us insist.
  if not pg_try_advisory_xact_lock(1181774130) and not insist then
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
  into ids, nodes, sound, latest
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
    from unnest(ids, nodes) with ordinality as n (id, hash, place);
  exception when unique_violation then
    return null;  -- another run was faster; it has done what this one would
  end;

  first := known;
  while cardinality(nodes) > 0 or octet_length(head.edge) > 32 * used loop
    if (known >> above) % 2 = 1 then
      peak := substr(head.edge, 32 * used + 1, 32);
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

  insert into gdpr.tree_head (size, root, edge, horizon)
  values (known + cardinality(ids), root, edge, oldest);
  return known + cardinality(ids);
end
$$;
comment on function gdpr.sequence is
'Takes new entries into the tree. The answer is its size, or null where another run is at it. In a transaction of its own.';
grant execute on function gdpr.sequence to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;
