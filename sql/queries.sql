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
  select c.oid, c.relnamespace, c.oid = any(%(changed)s::regclass[]) as is_changed
  from pg_class as c
  where c.oid = any(%(tables)s::regclass[])
  union
  select c.oid, c.relnamespace, t.is_changed
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
  select
    3,
    'grant update, delete'
    -- Before 17 only the owner of a table may vacuum it.
    || case when current_setting('server_version_num')::integer >= 170000 then ', maintain' else '' end
    || ' on table ' || t.oid::regclass || ' to gdpr_erase'
  from touched as t
  where t.is_changed
) as needed
order by step, statement;

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

-- may_activate: whether this session may activate a plan without being lent the schema's owner
select case
  when has_schema_privilege('gdpr', 'usage')
    then has_function_privilege('gdpr.activate_plan(text, text, bytea)', 'execute')
  else false
end;

-- activate_plan: store a plan and go by it from now on
select gdpr.activate_plan(%(map_digest)s, %(fingerprint)s, %(body)s);
