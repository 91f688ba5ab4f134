-- The suite's fixed statements, each under its name, by which shared/queries.py finds it.

-- lock_migrations: one at a time changes schema and rights; the number is the first bytes of sha256('gdpr.migration')
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

-- not_of_the_application: tables that are Postgres' own or the suite's, and no plan's to name
select c.oid::regclass::text
from unnest(%(tables)s::text[]) as t (name)
join pg_class as c on c.oid = t.name::regclass
join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('gdpr', 'information_schema') or n.nspname ~ '^pg_'
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
select count(*) > 0  -- which several workers may find out together, and an exists may not
from gdpr.entry as e
cross join lateral jsonb_to_record(convert_from(substr(e.body, 2), 'UTF8')::jsonb) as read (
  kind text, writer text, event uuid, request uuid, subject text
)
where (e.kind, e.writer, e.event_id, e.request, encode(e.subject, 'hex'))
  is distinct from (read.kind, read.writer, read.event, read.request, read.subject);

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

-- tiles_of_entries: the hashes of the leaves that each tile has, and behind its length each body; none if they are many
select
  t.idx,
  coalesce(l.hashes, ''),
  case when l.size <= %(most)s then l.bodies end
from generate_series(%(first)s::bigint, %(last)s::bigint) as t (idx)
cross join lateral (
  select
    string_agg(a.leaf_hash, ''::bytea order by a.leaf_index) as hashes,
    string_agg(int4send(octet_length(e.body)) || e.body, ''::bytea order by a.leaf_index) as bodies,
    sum(octet_length(e.body)) as size
  from gdpr.leaf as a
  left join gdpr.entry as e on e.id = a.entry_id
  where a.leaf_index between t.idx * 256 and least(t.idx * 256 + 255, %(end)s - 1)
) as l;

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

-- cases: requests as they stand, the open ones first and the most urgent of them first; behind one, and no more than so many
select
  r.id::text as request_id,
  r.subject_request_id::text,
  r.request_type as "right",
  r.status,
  r.code,
  r.received_at,
  r.due_at,
  r.deadline,
  c.is_closed,
  exists (
    select from gdpr.request_question as q
    where q.request_id = r.id and q.answered_at is null
  ) as is_waiting
from gdpr.request as r
cross join lateral (
  select r.status not in ('in_progress', 'incomplete', 'failed', 'blocked') as is_closed
) as c
where not (%(open)s and c.is_closed)
  and not (%(overdue)s and (c.is_closed or r.due_at > %(now)s))
  and (%(right)s::text is null or r.request_type = %(right)s)
  and (%(number)s::uuid is null or r.subject_request_id = %(number)s)
  and (
    %(after_id)s::uuid is null
    or (c.is_closed, r.due_at, r.id) > (%(after_closed)s::boolean, %(after_due_at)s::timestamptz, %(after_id)s::uuid)
  )
order by c.is_closed, r.due_at, r.id
limit %(most)s;

-- notices: what the person has to be told, and was
select n.kind, n.due_at, n.given_at
from gdpr.notice as n
where n.request_id = %(request)s
order by n.owed_at, n.kind;

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

-- report_cases: one look at the register, as pg_temp.gdpr_case: what came in the period, and whatever is still owed
create temporary table gdpr_case on commit drop as
with told as (
  -- Whom nobody helps has to be told so: until then it is no answer.
  select
    n.request_id, n.kind, min(n.due_at) as due_at, case when bool_and(n.given_at is not null) then max(n.given_at) end as at
  from gdpr.notice as n
  where n.kind in ('refusal', 'not_identified')
  group by n.request_id, n.kind
),

seen as (
  select
    r.id, r.subject_request_id, r.request_type, r.status, r.received_at, r.deadline,
    (r.received_at at time zone %(zone)s)::date as received_on,
    coalesce(t.due_at, r.due_at) as due_at,
    case
      when r.status in ('completed', 'withdrawn', 'rejected') or (r.status in ('refused', 'not_identified') and t.kind is null)
        then r.changed_at
      when r.status in ('refused', 'not_identified') then t.at
    end as answered_at
  from gdpr.request as r
  left join told as t
    on t.request_id = r.id and t.kind = case r.status when 'refused' then 'refusal' else r.status end
)

select
  s.id, s.subject_request_id, s.request_type, s.status, s.received_on, s.due_at, s.answered_at,
  s.received_at >= %(since)s and s.received_at < %(until)s as is_in_period,
  case
    when s.answered_at is null then case when s.due_at > %(now)s then 'open' else 'overdue' end
    when s.answered_at < s.due_at then 'on_time'
    else 'late'
  end as state,
  greatest((s.answered_at at time zone %(zone)s)::date - s.received_on, 0) as days,
  ((s.due_at - interval '1 microsecond') at time zone %(zone)s)::date - s.received_on as allowed,
  s.answered_at < case
    when
      s.deadline ->> 'due_statutory' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
      and pg_input_is_valid(s.deadline ->> 'due_statutory', 'date')
      then ((s.deadline ->> 'due_statutory')::date + 1)::timestamp at time zone %(zone)s
    else s.due_at
  end as is_in_first_month,
  s.answered_at < ((s.received_on + interval '3 months')::date + 1)::timestamp at time zone %(zone)s as is_in_three_months
from seen as s
where s.answered_at is null or (s.received_at >= %(since)s and s.received_at < %(until)s);

-- report_counts: requests of the period, by month of receipt, right, status and how they stand
select
  date_trunc('month', c.received_on)::date as month, c.request_type as "right", c.status, c.state, count(*) as number,
  count(*) filter (where c.is_in_first_month) as in_first_month,
  count(*) filter (where c.is_in_three_months) as in_three_months
from pg_temp.gdpr_case as c
where c.is_in_period
group by 1, 2, 3, 4
order by 1, 2, 3, 4;

-- report_days: days within which half of the answers came, and the last one, by month of receipt; null: of all
select
  date_trunc('month', c.received_on)::date as month, percentile_disc(0.5) within group (order by c.days) as half,
  max(c.days) as longest
from pg_temp.gdpr_case as c
where c.is_in_period and c.answered_at is not null
group by rollup (date_trunc('month', c.received_on)::date)
having count(*) > 0 -- the sum of nothing is a row
order by 1;

-- report_points: days that an answer took, and that it might take, each such point once, with how many answers it is
select c.received_on, c.days, c.allowed, c.state = 'late' as is_late, count(*) as number
from pg_temp.gdpr_case as c
where c.is_in_period and c.answered_at is not null
group by 1, 2, 3, 4
order by 1, 2, 3, 4
limit %(most)s;

-- report_spans: the same by day, week or month of receipt: the shortest, the middle and the longest
select
  date_trunc(%(unit)s, c.received_on)::date as since, min(c.days) as shortest,
  percentile_disc(0.5) within group (order by c.days) as half, max(c.days) as longest,
  percentile_disc(0.5) within group (order by c.allowed) as allowed, count(*) as number,
  count(*) filter (where c.state = 'late') as late
from pg_temp.gdpr_case as c
where c.is_in_period and c.answered_at is not null
group by 1
order by 1;

-- report_open: requests of which something is owed, the most urgent first
select
  c.subject_request_id::text, c.request_type as "right", c.status, c.received_on, c.received_on + c.allowed as due_on,
  c.state = 'overdue' as is_overdue
from pg_temp.gdpr_case as c
where c.answered_at is null
order by c.due_at, c.id
limit %(most)s;

-- report_owed: how many requests are open, whenever they came in, and how many of them are overdue
select count(*) as open, count(*) filter (where c.state = 'overdue') as overdue
from pg_temp.gdpr_case as c
where c.answered_at is null;

-- report_reasons: why requests of the period took longer or were refused; and of how many the person has been told
select 'extension' as kind, e.reason as code, count(*) as number, count(e.notified_at) as told
from pg_temp.gdpr_case as c
join gdpr.request_extension as e on e.request_id = c.id
where c.is_in_period
group by e.reason
union all
select 'refusal', f.reason, count(*), count(c.answered_at)
from pg_temp.gdpr_case as c
join gdpr.request_refusal as f on f.request_id = c.id
where c.is_in_period
group by f.reason
order by 1, 3 desc, 2;

-- report_questions: requests of the period for which the person was asked something, and those that still wait for it
select
  count(distinct q.request_id) as asked, count(distinct q.request_id) filter (where q.answered_at is null) as waiting
from pg_temp.gdpr_case as c
join gdpr.request_question as q on q.request_id = c.id
where c.is_in_period;

-- report_rows: rows by dataset and what was done with them, as entries of a kind say; whatever else stands in one is passed over
select d.value ->> 'key' as dataset, n.value ->> 'key' as done, sum((n.value ->> 'value')::numeric) as number
from gdpr.entry as e
cross join lateral jsonb_path_query(
  convert_from(substr(e.body, 2), 'UTF8')::jsonb, '$.rows.keyvalue()', silent => true
) as d (value)
cross join lateral jsonb_path_query(d.value, '$.value.keyvalue() ? (@.value < 9007199254740992)', silent => true) as n (value)
where e.kind = %(kind)s and e.written_at >= %(since)s and e.written_at < %(until)s
group by 1, 2
order by 1, 2
limit %(most)s;

-- report_entries: how many entries of a kind were written in the period
select count(*) as number
from gdpr.entry as e
where e.kind = %(kind)s and e.written_at >= %(since)s and e.written_at < %(until)s;

-- report_ledger: the tree, the entries that wait for it, and the newest checkpoint that lies outside
select
  coalesce(h.size, 0) as size, encode(h.root, 'hex') as root, h.at,
  (
    select count(*)
    from gdpr.entry as e
    where e.xid >= coalesce(h.horizon, '0') and not exists (select from gdpr.leaf as l where l.entry_id = e.id)
  ) as waiting,
  a.origin, a.size as anchored, a.at as anchored_at
from (select) as one
left join lateral (select * from gdpr.tree_head as t order by t.size desc limit 1) as h on true
left join lateral (select * from gdpr.anchor as k order by k.at desc, k.size desc limit 1) as a on true;

-- standing: what the ledger was found to be beside what lies outside
select gdpr.standing();

-- record_comparison: the ledger was found to be this
select gdpr.record_comparison(%(state)s, %(origin)s, %(size)s);

-- openings: entries that tell of an epoch's beginning
select e.body
from gdpr.entry as e
where e.kind = 'ledger.origin_opened' and e.writer = 'gdpr_audit';

-- intend_epoch: another epoch is to begin here
insert into gdpr.epoch (event, number, before, note, size, root, kept, by_role, decided_at)
values (%(event)s, %(number)s, %(before)s, %(note)s, %(size)s, %(root)s, %(kept)s, %(role)s, %(at)s);

-- intended_epochs: those of a number that were to begin here, the last first
select p.event::text, p.before, p.note, p.size, p.root, p.kept, p.by_role, p.decided_at
from gdpr.epoch as p
where p.number = %(number)s
order by p.at desc;

-- restorations: from and up to where entries were taken over, and what is said to be signed of them
select r.origin, r.kept, r.size, r.root, r.note
from gdpr.restoration as r
order by r.at;

-- latest_restoration: the last that has begun, and whether it has still to end
select
  r.id::text, r.origin, r.kept, r.size, r.note, r.digests, r.by_role, r.decided_at,
  r.id is not distinct from gdpr.restoring() as is_open
from gdpr.restoration as r
order by r.at desc
limit 1;

-- begin_restoration: from now on the tree grows by what was anchored alone
select gdpr.begin_restoration(
  %(origin)s, %(kept)s, %(size)s, %(root)s, %(note)s, %(digests)s, %(role)s, %(at)s
);

-- import_leaves: take over the entries of the next bundle; the size of the tree then
select gdpr.import_leaves(%(restoration)s, %(first)s, %(bodies)s);

-- requests_to_suspend: all that anybody could go on with
select r.id::text, r.person, k.key
from gdpr.request as r
left join gdpr.subject_key as k on k.person = r.person
where r.status in ('in_progress', 'incomplete', 'failed', 'blocked') and r.code is distinct from 'suspended_by_restore'
order by r.id;

-- restored_requests: what entries between two sizes say of requests, and who has begun and not ended
select t.request::text, r.subject_request_id::text, r.request_type, t.kinds, t.is_unfinished
from (
  select
    e.request,
    coalesce(
      array_agg(distinct e.kind order by e.kind)
      filter (where l.leaf_index >= %(kept)s and l.leaf_index < %(size)s), '{}'
    ) as kinds,
    coalesce(max(l.leaf_index) filter (where e.kind in ('export.started', 'erasure.started')), -1)
    > coalesce(max(l.leaf_index) filter (where e.kind in (
      'export.completed', 'export.failed', 'erasure.completed', 'erasure.failed', 'request.refused'
    )), -1) as is_unfinished
  from gdpr.entry as e
  join gdpr.leaf as l on l.entry_id = e.id
  where e.request in (
    select m.request
    from gdpr.leaf as n
    join gdpr.entry as m on m.id = n.entry_id
    where n.leaf_index >= %(kept)s and n.leaf_index < %(size)s
    union
    select s.id
    from gdpr.request as s
    where s.status = 'blocked' and s.code = 'suspended_by_restore'
  )
  group by e.request
) as t
left join gdpr.request as r on r.id = t.request
where t.kinds <> '{}' or t.is_unfinished
order by t.request
limit %(most)s;

-- says_of_request: whether the ledger says this of a request
select exists (select from gdpr.entry as e where e.request = %(request)s and e.kind = %(kind)s);

-- suspended_requests: how many wait for an officer
select count(*)
from gdpr.request as r
where r.status = 'blocked' and r.code = 'suspended_by_restore';

-- imported_uncovered: entries that came in from outside, and not in the place of what was anchored
select min(l.leaf_index), max(l.leaf_index), count(*)
from gdpr.imported as i
left join gdpr.leaf as l on l.entry_id = i.entry_id
left join gdpr.restoration as r on r.id = i.restoration
where not coalesce(l.leaf_index >= r.kept and l.leaf_index < r.size, false)
having count(*) > 0;
