-- The suite's fixed statements, each under its name, by which shared/queries.py finds it.

-- lock_migrations: one migration at a time in this database; the number is the first bytes of sha256('gdpr.migration')
set local lock_timeout = '60s';
select pg_advisory_xact_lock(1181774129);

-- may_own: whether this session may act as gdpr_owner without being lent the role
select pg_has_role(current_user, 'gdpr_owner', 'set');

-- lend_owner: act as gdpr_owner for this migration (an administrator who is no superuser must be lent what he made)
grant gdpr_owner to current_user with set true, inherit false;

-- return_owner: and give it back
revoke gdpr_owner from current_user;

-- schema_owner: who owns schema gdpr, if it is there
select pg_get_userbyid(n.nspowner)
from pg_namespace as n
where n.nspname = 'gdpr';

-- create_schema: the schema itself
create schema gdpr authorization gdpr_owner;

-- has_version_table: whether the schema is one of ours, of any version
select exists (
  select
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'gdpr' and c.relname = 'migration' and c.relowner = n.nspowner
);

-- may_read_versions: whether this session sees the version table without being lent its owner
select has_schema_privilege('gdpr', 'usage') and has_table_privilege('gdpr.migration', 'select');

-- applied_versions: the migrations that the schema contains
select m.version, m.name, m.applied_at
from gdpr.migration as m
order by m.version;

-- record_version: a migration has been applied
insert into gdpr.migration (version, name) values (%(version)s, %(name)s);

-- role_states: our roles as they are on this server
select
  r.rolname,
  r.rolcanlogin,
  r.rolconnlimit,
  pg_has_role(r.oid, 'pg_read_all_data', 'usage') as reads_all,
  (select count(*) from pg_stat_activity as a where a.usename = r.rolname) as sessions
from pg_roles as r
where r.rolname in ('gdpr_owner', 'gdpr_export', 'gdpr_erase', 'gdpr_verify', 'gdpr_audit')
order by r.rolname;

-- role_faults: every way in which our roles are more, or less, than the suite stands on, as the statement that mends it
with our as (
  select r.* from pg_roles as r
  where r.rolname in ('gdpr_owner', 'gdpr_export', 'gdpr_erase', 'gdpr_verify', 'gdpr_audit')
)

select 'alter role ' || o.rolname || ' nosuperuser nobypassrls nocreaterole nocreatedb noreplication' as statement
from our as o
where o.rolsuper or o.rolbypassrls or o.rolcreaterole or o.rolcreatedb or o.rolreplication
union all
-- A role that belongs to another has its rights as well.
select 'revoke ' || quote_ident(pg_get_userbyid(m.roleid)) || ' from ' || o.rolname
from our as o
join pg_auth_members as m on m.member = o.oid
where not (o.rolname = 'gdpr_verify' and pg_get_userbyid(m.roleid) = 'pg_read_all_data')
union all
-- Nobody acts as the owner but a migration, for as long as it takes.
select 'revoke gdpr_owner from ' || quote_ident(pg_get_userbyid(m.member))
from our as o
join pg_auth_members as m on m.roleid = o.oid
where o.rolname = 'gdpr_owner' and (m.set_option or m.inherit_option)
union all
select 'grant connect, temporary on database ' || quote_ident(current_database()) || ' to ' || o.rolname
from our as o
where o.rolname <> 'gdpr_owner'
  and not (
    has_database_privilege(o.oid, current_database(), 'connect')
    and has_database_privilege(o.oid, current_database(), 'temporary')
  )
order by statement;

-- grants_on: what our roles need on tables of the application, as statements (with the partitions, which VACUUM asks for)
with recursive touched as (
  select c.oid, c.relnamespace, c.relkind, c.oid = any(%(changed)s::regclass[]) as is_changed
  from pg_class as c
  where c.oid = any(%(tables)s::regclass[])
  union
  select c.oid, c.relnamespace, c.relkind, t.is_changed
  from touched as t
  join pg_inherits as i on i.inhparent = t.oid
  join pg_class as c on c.oid = i.inhrelid
  where c.relispartition
)
select statement
from (
  select distinct
    1 as step,
    'grant usage on schema ' || t.relnamespace::regnamespace || ' to gdpr_export, gdpr_erase, gdpr_verify' as statement
  from touched as t
  union all
  select 2, 'grant select on table ' || t.oid::regclass || ' to gdpr_export, gdpr_erase, gdpr_verify'
  from touched as t
  union all
  select 3, 'grant update, delete on table ' || t.oid::regclass || ' to gdpr_erase'
  from touched as t
  where t.is_changed and t.relkind <> 'm'
  union all
  -- Before 17 only its owner may vacuum a table or refresh a view.
  select 4, 'grant maintain on table ' || t.oid::regclass || ' to gdpr_erase'
  from touched as t
  where t.is_changed and current_setting('server_version_num')::integer >= 170000
) as needed
order by step, statement;

-- grants_of_naming: what intake needs to find who is meant, as statements: columns that name people, and no other
select 'grant usage on schema ' || c.relnamespace::regnamespace || ' to gdpr_audit' as statement
from pg_class as c
where c.oid = %(subject)s::regclass
union all
select
  'grant select (' || string_agg(quote_ident(n.name), ', ' order by n.name) || ') on table ' || %(subject)s::regclass
  || ' to gdpr_audit'
from unnest(%(columns)s::text[]) as n (name);

-- revokes_of_naming: what intake no longer needs
select distinct 'revoke all on table ' || c.oid::regclass || ' from gdpr_audit'
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as t on t.attrelid = c.oid
cross join lateral aclexplode(t.attacl) as a
where n.nspname not in ('gdpr', 'pg_catalog', 'information_schema') and pg_get_userbyid(a.grantee) = 'gdpr_audit';

-- revokes_on: what our roles no longer need on tables of the application, as statements
select distinct 'revoke all on table ' || c.oid::regclass || ' from ' || a.grantee::regrole as statement
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
cross join lateral aclexplode(c.relacl) as a
where n.nspname not in ('gdpr', 'pg_catalog', 'information_schema')
  and a.grantee in (select r.oid from pg_roles as r where r.rolname in ('gdpr_export', 'gdpr_erase', 'gdpr_verify'))
  and coalesce(
    (select p.relid from pg_partition_ancestors(c.oid) as p where p.relid = any(%(tables)s::regclass[]) limit 1), c.oid
  ) <> all(%(tables)s::regclass[])
order by statement;

-- active_plan: what the functions go by
select p.body, p.digest
from gdpr.plan as p
where p.is_active;

-- approved_catalogue: what the active plan was compiled for, if it came with it; only who asks for changes reads this
select p.catalogue
from gdpr.plan as p
where p.is_active;

-- application_rights: what our roles may do in the schemas and on the tables of the application (a partition is its table's)
select pg_get_userbyid(a.grantee) as grantee, n.oid::regnamespace::text as place, lower(a.privilege_type) as privilege
from pg_namespace as n
cross join lateral aclexplode(n.nspacl) as a
where n.nspname not in ('gdpr', 'pg_catalog', 'information_schema')
  and a.grantee in (select r.oid from pg_roles as r where r.rolname in ('gdpr_export', 'gdpr_erase', 'gdpr_verify', 'gdpr_audit'))
union
select
  pg_get_userbyid(a.grantee), coalesce(pg_partition_root(c.oid), c.oid)::regclass::text, lower(a.privilege_type)
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
cross join lateral aclexplode(c.relacl) as a
where n.nspname not in ('gdpr', 'pg_catalog', 'information_schema')
  and a.grantee in (select r.oid from pg_roles as r where r.rolname in ('gdpr_export', 'gdpr_erase', 'gdpr_verify', 'gdpr_audit'))
union
select
  pg_get_userbyid(a.grantee), c.oid::regclass::text,
  lower(a.privilege_type) || ' (' || string_agg(quote_ident(t.attname), ', ' order by t.attname) || ')'
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as t on t.attrelid = c.oid
cross join lateral aclexplode(t.attacl) as a
where n.nspname not in ('gdpr', 'pg_catalog', 'information_schema') and pg_get_userbyid(a.grantee) = 'gdpr_audit'
group by a.grantee, c.oid, a.privilege_type
order by grantee, place, privilege;

-- rights_missing: tables that a role of ours cannot work on after all; GRANT only warns where the grantor may not grant
select distinct t.name
from unnest(%(read)s::text[]) as t (name)
cross join unnest(array['gdpr_export', 'gdpr_erase', 'gdpr_verify']) as r (name)
where not has_table_privilege(r.name, t.name::regclass, 'select')
union
select t.name
from unnest(%(changed)s::text[]) as t (name)
join pg_class as c on c.oid = t.name::regclass
cross join lateral unnest(
  case
    when c.relkind <> 'm' then array['update', 'delete']
    when current_setting('server_version_num')::integer >= 170000 then array['maintain']
  end
) as p (privilege)
where not has_table_privilege('gdpr_erase', c.oid, p.privilege)
order by 1;

-- may_activate: whether this session may activate a plan without being lent the schema's owner
select case
  when has_schema_privilege('gdpr', 'usage')
    then has_function_privilege('gdpr.activate_plan(text, text, bytea, text)', 'execute')
  else false
end;

-- activate_plan: store a plan and go by it from now on
select gdpr.activate_plan(%(map_digest)s, %(fingerprint)s, %(body)s, %(catalogue)s);

-- screened_tables: those to which policies apply for this role
select c.oid::regclass::text
from unnest(%(tables)s::text[]) as t (name)
join pg_class as c on c.oid = t.name::regclass
where c.relkind in ('r', 'p') and row_security_active(c.oid)
order by 1;

-- blinding_policies: the first table of which a policy may hide rows from this role, for whatever it may do there
select c.oid::regclass::text, current_user::text
from unnest(%(tables)s::text[]) as t (name)
join pg_class as c on c.oid = t.name::regclass
cross join (values ('r', 'select'), ('w', 'update'), ('d', 'delete')) as n (command, privilege)
cross join lateral (
  select
    coalesce(bool_or(f.is_open) filter (where f.polpermissive), false) as is_shown,
    coalesce(bool_and(f.is_open) filter (where not f.polpermissive), true) as is_left
  from (
    select
      y.polpermissive,
      pg_get_expr(y.polqual, y.polrelid) = 'true'
      and coalesce(pg_get_expr(y.polwithcheck, y.polrelid), 'true') = 'true' as is_open
    from pg_policy as y
    where y.polrelid = c.oid and y.polcmd in ('*', n.command)
      and exists (select from unnest(y.polroles) as r (oid) where r.oid = 0 or pg_has_role(r.oid, 'usage'))
  ) as f
) as p
where not (p.is_shown and p.is_left) and case
  when n.privilege = 'delete' then has_table_privilege(c.oid, n.privilege)
  else has_any_column_privilege(c.oid, n.privilege)
end
order by 1
limit 1;

-- sequence: take committed entries of the ledger into the Merkle tree; its size, null where another run is at it
select gdpr.sequence(insist => %(insist)s);

-- tree_head: the newest
select h.size, coalesce(h.root, '')
from gdpr.tree_head as h
order by h.size desc
limit 1;

-- tile_hashes: of a full tile, or those that there are of one at the right edge
select coalesce(
  (select t.hashes from gdpr.tile as t where t.level = %(level)s and t.idx = %(idx)s),
  case when %(level)s = 0 then (
    select string_agg(l.leaf_hash, ''::bytea order by l.leaf_index)
    from gdpr.leaf as l
    where l.leaf_index between %(idx)s * 256::bigint and %(idx)s * 256::bigint + 255
  ) else (
    select string_agg(t.root, ''::bytea order by t.idx)
    from gdpr.tile as t
    where t.level = %(level)s - 1 and t.idx between %(idx)s * 256::bigint and %(idx)s * 256::bigint + 255
  ) end
);

-- append: one more entry of the ledger, in the caller's transaction; its leaf hash
select gdpr.append(%(event)s, %(body)s);

-- last_anchor: the size of the newest checkpoint that we know to lie outside
select a.size
from gdpr.anchor as a
where a.origin = %(origin)s
order by a.size desc
limit 1;

-- record_anchor: a checkpoint lies outside
insert into gdpr.anchor (origin, size, note, version)
values (%(origin)s, %(size)s, %(note)s, %(version)s)
on conflict do nothing;

-- entries_of_leaves: what was written, in the order of the tree
select l.leaf_index, e.body
from gdpr.leaf as l
left join gdpr.entry as e on e.id = l.entry_id
where l.leaf_index between %(first)s and %(last)s
order by l.leaf_index;

-- anchors: the checkpoints that we know to lie outside
select a.size, a.note
from gdpr.anchor as a
where a.origin = %(origin)s
order by a.size;

-- entries_waiting: how many were written ten minutes ago and are not in the tree
select count(*)
from gdpr.entry as e
where e.written_at < clock_timestamp() - interval '10 minutes'
  and not exists (select from gdpr.leaf as l where l.entry_id = e.id);

-- columns_lie: whether a column beside an entry's body, which alone is hashed, says something else
select exists (
  select
  from gdpr.entry as e
  cross join lateral convert_from(substr(e.body, 2), 'UTF8') as said (told)
  cross join lateral json_to_record(said.told::json) as read (
    kind text, writer text, event uuid, request uuid, subject text
  )
  where (e.kind, e.writer, e.event_id, e.request, encode(e.subject, 'hex'))
    is distinct from (read.kind, read.writer, read.event, read.request, read.subject)
);

-- tree_heads_between: of sizes above one, up to another
select h.size, coalesce(h.root, '')
from gdpr.tree_head as h
where h.size > %(above)s and h.size <= %(upto)s;

-- tiles_between: full tiles of a level
select t.idx, coalesce(t.hashes, ''), coalesce(t.root, '')
from gdpr.tile as t
where t.level = %(level)s and t.idx between %(first)s and %(last)s;

-- leaves_between: with a hash of 32 bytes, whatever stands there, and the bytes that were written
select
  l.leaf_index,
  substr(
    coalesce(l.leaf_hash, '') || '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea, 1, 32
  ),
  e.body
from gdpr.leaf as l
left join gdpr.entry as e on e.id = l.entry_id
where l.leaf_index between %(first)s and %(last)s
order by l.leaf_index;

-- last_leaf: the index of the last leaf, whatever the heads say; and of the last of so many, were there no gap
select
  (select max(l.leaf_index) from gdpr.leaf as l),
  (select count(*) from gdpr.leaf as l where l.leaf_index >= 0),
  (select count(*) from gdpr.leaf as l where not coalesce(l.leaf_index >= 0, false));

-- ledger_rows: how many rows there are, each time by the column of another index
select
  (select count(*) from gdpr.entry as e where e.id > 0) as entries,
  (select count(*) from gdpr.entry as e where e.xid >= '0') as entries_in_time,
  (select count(*) from gdpr.leaf as l where l.leaf_index >= 0) as leaves,
  (select count(*) from gdpr.leaf as l where l.entry_id > 0) as leaves_of_entries;

-- leaf_of_event: where the entry of an event is in the tree, if it is there yet
select l.leaf_index, e.body
from gdpr.entry as e
left join gdpr.leaf as l on l.entry_id = e.id
where e.event_id = %(event)s and e.writer = any(%(writers)s);

-- anchor_covering: the first checkpoint that a leaf is in
select a.size, a.note
from gdpr.anchor as a
where a.origin = %(origin)s and a.size > %(index)s
order by a.size
limit 1;

-- anchor_of_size: the checkpoint of a size
select a.note
from gdpr.anchor as a
where a.origin = %(origin)s and a.size = %(size)s;

-- lock_request: nobody else adds to a request for the rest of the transaction
select r.id
from gdpr.request as r
where r.subject_request_id = %(subject_request_id)s and r.action = %(action)s
for no key update;

-- case_file: a request with all the facts of its course
select
  r.id::text,
  r.subject_request_id::text,
  r.action,
  r.request_type,
  r.status,
  r.code,
  r.person,
  k.key as subject_key,
  r.received_at,
  r.registered_at,
  r.changed_at,
  r.terms,
  r.deadline,
  coalesce((
    select json_agg(json_build_object('asked_at', q.asked_at, 'answered_at', q.answered_at) order by q.asked_at)
    from gdpr.request_question as q
    where q.request_id = r.id
  ), '[]') as questions,
  (select row_to_json(e) from gdpr.request_extension as e where e.request_id = r.id) as extension,
  (select row_to_json(f) from gdpr.request_refusal as f where f.request_id = r.id) as refusal
from gdpr.request as r
left join gdpr.subject_key as k on k.person = r.person
where r.subject_request_id = %(subject_request_id)s and r.action = %(action)s;

-- record_question: the person was asked something, or has answered; what is recorded stays
insert into gdpr.request_question (request_id, asked_at, answered_at)
values (%(request)s, %(asked_at)s, %(answered_at)s)
on conflict (request_id, asked_at) do update
set answered_at = excluded.answered_at
where request_question.answered_at is null;

-- record_extension: a request takes longer, or its person has been told so; what is recorded stays
insert into gdpr.request_extension (request_id, decided_at, reason, text_ref, facts_ref, notified_at)
values (%(request)s, %(decided_at)s, %(reason)s, %(text_ref)s, %(facts_ref)s, %(notified_at)s)
on conflict (request_id) do update
set notified_at = excluded.notified_at
where request_extension.notified_at is null;

-- set_deadline: the dates that follow from the facts
update gdpr.request as r
set deadline = %(deadline)s, due_at = %(due_at)s, target_date = %(target_date)s
where r.id = %(request)s;

-- record_refusal: a request is refused; once
insert into gdpr.request_refusal (
  request_id, decided_at, reason, text_ref, authority, remedy, decided_by, facts_ref
)
values (
  %(request)s, %(decided_at)s, %(reason)s, %(text_ref)s, %(authority)s, %(remedy)s, %(decided_by)s, %(facts_ref)s
);

-- move_request: take a step with a request
select gdpr.move_request(%(request)s, %(status)s, %(fence)s, %(code)s);

-- owe_notice: the person has to be told something by then
insert into gdpr.notice (request_id, kind, due_at, given_at)
values (%(request)s, %(kind)s, %(due_at)s, %(given_at)s);

-- register_request: a request enters the register; its id, and whether it is new
select *
from gdpr.register_request(
  %(subject_request_id)s, %(action)s, %(request_type)s, %(kind)s, %(received_at)s, %(person)s, %(person_key)s, %(terms)s,
  %(status)s, %(code)s, %(decision)s, %(options)s, %(deadline)s, %(due_at)s, %(target_date)s, %(sealed)s, %(mark)s,
  %(mark_key)s
);

-- request_mark: what tells the identities of an open request apart from others
select p.mark, p.mark_key
from gdpr.request_person as p
where p.request_id = %(request)s;

-- give_notice: the person has been told
update gdpr.notice as n
set given_at = %(given_at)s
where n.request_id = %(request)s and n.kind = %(kind)s and n.given_at is null;

-- notice: whether the person has to be told something, and when they were
select n.given_at
from gdpr.notice as n
where n.request_id = %(request)s and n.kind = %(kind)s
order by n.owed_at
limit 1;

-- know_person: the key of a person, who has this one if they had none
select gdpr.know_person(%(person)s, %(key)s);

-- subject_key: the key of a person, while they have one
select k.key
from gdpr.subject_key as k
where k.person = %(person)s;

-- entries: the ledger's, the newest first, behind one and no more than so many
select e.id, e.written_at, e.body, l.leaf_index
from gdpr.entry as e
left join gdpr.leaf as l on l.entry_id = e.id
where e.id < coalesce(%(before)s, 9223372036854775807)
  and (%(request)s::uuid is null or e.request = %(request)s)
  and (%(subject)s::bytea is null or e.subject = %(subject)s)
  and (%(kind)s::text is null or e.kind = %(kind)s)
  and (%(since)s::timestamptz is null or e.written_at >= %(since)s)
  and (%(until)s::timestamptz is null or e.written_at < %(until)s)
order by e.id desc
limit %(most)s;

-- is_recorded: whether a role has written of an event
select exists (select from gdpr.entry as e where e.writer = %(writer)s and e.event_id = %(event)s);

-- open_requests: what is still to be done, and of whom somebody has still to be told, the most urgent first
select r.subject_request_id, r.action
from gdpr.request as r
where r.status in ('in_progress', 'incomplete', 'failed', 'blocked')
  or r.id in (select n.request_id from gdpr.notice as n where n.given_at is null)
order by r.due_at, r.id;

-- owed_notices: what the person has to be told by then, and was not
select n.kind, n.due_at
from gdpr.notice as n
where n.request_id = %(request)s and n.given_at is null and n.due_at <= %(by)s
order by n.due_at, n.kind;

-- dead_lease: a worker that took a request, and neither finished nor gave it back
select r.fence, r.leased_until
from gdpr.request as r
where r.id = %(request)s and r.status = 'in_progress' and r.leased_until < clock_timestamp() - interval '1 minute';

-- recent_anchors: the last checkpoints that went outside, of which the ledger itself has to tell
select r.size, r.note, r.at
from (
  select a.size, a.note, a.at
  from gdpr.anchor as a
  where a.origin = %(origin)s
  order by a.size desc
  limit 8
) as r
order by r.size;
