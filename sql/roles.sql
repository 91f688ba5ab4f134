-- The roles of the suite and what holds for every session of theirs.
--
-- Run by an administrator before the schema and again with every `gdpr db migrate`: each statement looks first
-- and changes only what is different, so that running it twice, or in two databases of one server at once, is
-- harmless. Roles belong to the server, not to the database. Nobody gets a password here.
--
--   gdpr_owner    owns schema gdpr; nobody logs in as it
--   gdpr_export   reads what the data map names                               (data_export)
--   gdpr_erase    reads, changes, deletes and vacuums what the data map names  (data_deletion)
--   gdpr_verify   reads everything; alone may say that an erasure is completed (data_deletion, its second role)
--   gdpr_audit    reads the ledger and runs the register of requests          (audit_logging)

do $$
declare
  wanted record;
  named text;
  held record;
begin
  for wanted in
    select *
    from (values
      ('gdpr_owner', false, 0),
      ('gdpr_export', true, 10),
      ('gdpr_erase', true, 10),
      ('gdpr_verify', true, 5),
      ('gdpr_audit', true, 10)
    ) as role (name, logs_in, connections)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      begin
        execute format('create role %I', wanted.name);
      exception when duplicate_object or unique_violation then
        null;  -- another migration on this server was faster
      end;
    end if;

    if exists (select from pg_catalog.pg_roles where rolname = wanted.name and rolcanlogin <> wanted.logs_in) then
      execute format('alter role %I %s', wanted.name, case when wanted.logs_in then 'login' else 'nologin' end);
    end if;
    -- An operator may choose another limit; none at all would let one function take every slot of the server.
    if exists (select from pg_catalog.pg_roles where rolname = wanted.name and rolconnlimit = -1) then
      execute format('alter role %I connection limit %s', wanted.name, wanted.connections);
    end if;
  end loop;

  -- What holds for every session of a role, through whatever client it comes. shared/database.py sets the same and
  -- more; this is for the psql of an operator.
  for held in
    select role.name as role, assigned.name, assigned.value, assigned.restricted
    from (values ('gdpr_export'), ('gdpr_erase'), ('gdpr_verify'), ('gdpr_audit')) as role (name)
    cross join (values
      -- A policy that hides rows is an error and never a silence.
      ('row_security', 'off', false),
      ('search_path', 'pg_catalog, pg_temp', false),
      ('idle_in_transaction_session_timeout', '30s', false),
      ('lock_timeout', '800ms', false),
      -- No statement, with whatever stands in it, reaches the server's log. Only a superuser may set these for a
      -- role; on RDS the parameter group does.
      ('log_min_error_statement', 'panic', true),
      ('log_error_verbosity', 'terse', true),
      ('log_min_duration_statement', '-1', true),
      ('log_statement', 'none', true)
    ) as assigned (name, value, restricted)
  loop
    if held.restricted and not (
      (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
      or pg_catalog.has_parameter_privilege(current_user, held.name, 'set')
    ) then
      continue;
    end if;
    if not exists (
      select
      from pg_catalog.pg_db_role_setting as s
      join pg_catalog.pg_roles as r on r.oid = s.setrole
      cross join unnest(s.setconfig) as line
      where r.rolname = held.role and s.setdatabase = 0 and line = held.name || '=' || held.value
    ) then
      execute format(
        case when held.name = 'search_path' then 'alter role %I set %I to %s' else 'alter role %I set %I to %L' end,
        held.role, held.name, held.value
      );
    end if;
  end loop;

  for named in select unnest(array['gdpr_export', 'gdpr_erase', 'gdpr_verify', 'gdpr_audit']) loop
    if (
      select count(*)
      from pg_catalog.pg_database as d
      cross join pg_catalog.aclexplode(d.datacl) as acl
      join pg_catalog.pg_roles as r on r.oid = acl.grantee
      where d.datname = current_database() and r.rolname = named and acl.privilege_type in ('CONNECT', 'TEMPORARY')
    ) < 2 then
      execute format('grant connect, temporary on database %I to %I', current_database(), named);
    end if;
  end loop;

  -- Verification looks into every table, mapped or not. Where an administrator may not hand this out (he may on a
  -- server of his own), each table is granted by name instead (sql/queries.sql, grants_on).
  if not pg_catalog.pg_has_role('gdpr_verify', 'pg_read_all_data', 'usage') and (
    (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
    or pg_catalog.pg_has_role(current_user, 'pg_read_all_data', 'usage with admin option')
  ) then
    grant pg_read_all_data to gdpr_verify;
  end if;
end
$$;
