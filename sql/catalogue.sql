-- The two statements by which the suite looks at a database that is not its own; see shared/catalogue.py.
--noqa: disable=AL03,AL04,AL08,AM06,LT05,LT09,RF01,ST05

-- catalogue: what the database is made of, as one JSON document: facts for the data map, no row of anybody
with recursive place as (
  -- Everything that may hold rows, without what belongs to the system, to an extension, to a session or to us.
  select
    c.oid,
    n.nspname,
    c.relname,
    c.relkind,
    c.relrowsecurity,
    c.relforcerowsecurity,
    c.reltuples,
    c.relispartition,
    c.relhassubclass,
    c.relowner,
    c.relpersistence
  from pg_class as c
  inner join pg_namespace as n on c.relnamespace = n.oid
  where
    c.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname not in ('pg_catalog', 'information_schema', 'gdpr')
    and n.nspname !~ '^pg_(toast|temp)'
    and c.relpersistence <> 't'
    and not exists (
      select from pg_depend as d
      where
        d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
        and not exists (  -- what hangs from a table of ours goes when a row of that goes
          select from pg_constraint as k
          where
            k.conrelid = c.oid and k.contype = 'f' and not exists (
              select from pg_depend as o
              where o.classid = d.classid and o.objid = k.confrelid and o.deptype = 'e'
            )
        )
    )
),

-- Each partition, however deep, with the table that it is a part of.
part as (
  select
    i.inhrelid as oid,
    i.inhparent as root
  from pg_inherits as i
  inner join place as p on i.inhrelid = p.oid and p.relispartition
  where
    not exists (
      select from pg_class as u
      where u.oid = i.inhparent and u.relispartition
    )
  union all
  select
    i.inhrelid,
    a.root
  from pg_inherits as i
  inner join part as a on i.inhparent = a.oid
),

-- What stands behind domains and arrays of domains.
kind as (
  select
    t.oid,
    t.oid as base,
    t.typtype,
    t.typbasetype,
    t.typtypmod,
    t.typnotnull,
    false as is_array,
    false as is_domain
  from pg_type as t
  where
    t.oid in (
      select a.atttypid from pg_attribute as a inner join place as p on a.attrelid = p.oid
      where a.attnum > 0
    )
  union all
  select
    k.oid,
    t.oid,
    t.typtype,
    t.typbasetype,
    greatest(k.typtypmod, t.typtypmod),
    k.typnotnull or (t.typnotnull and not k.is_array and not e.is_element),
    k.is_array or e.is_element,
    k.is_domain or not e.is_element
  from kind as k
  inner join pg_type as b on k.base = b.oid
  cross join
    lateral (
      select
        (b.typtype <> 'd') as is_element,
        case when b.typtype = 'd' then b.typbasetype else b.typelem end as next
    ) as e
  inner join pg_type as t on e.next = t.oid
  where (b.typtype = 'd' or (b.typcategory = 'A' and b.typelem <> 0)) and not (k.is_array and b.typcategory = 'A')
),

base as (
  select
    k.oid,
    k.base,
    k.is_array,
    k.is_domain,
    k.typtypmod,
    k.typnotnull,
    n.nspname || '.' || t.typname as name,
    case
      when t.typtype = 'e' then
        (
          select json_agg(l.enumlabel order by l.enumsortorder) from pg_enum as l
          where l.enumtypid = t.oid
        )
    end as labels,
    -- Types of extensions are compared by operators that lie where the extension does.
    case
      when n.nspname <> 'pg_catalog' and t.typtype <> 'e' then (
        select s.nspname
        from pg_opclass as o
        inner join pg_am as m on o.opcmethod = m.oid
        inner join pg_amop as p
          on o.opcfamily = p.amopfamily and o.opcintype = p.amoplefttype and o.opcintype = p.amoprighttype
        inner join pg_operator as q on p.amopopr = q.oid
        inner join pg_namespace as s on q.oprnamespace = s.oid
        where o.opcdefault and o.opcintype = t.oid and q.oprname = '=' and m.amname in ('btree', 'hash')
        order by m.amname
        limit 1
      )
    end as equality
  from kind as k
  inner join pg_type as t on k.base = t.oid
  inner join pg_namespace as n on t.typnamespace = n.oid
  where
    (t.typtype <> 'd' and not (t.typcategory = 'A' and t.typelem <> 0))
    or (k.is_array and t.typcategory = 'A') -- arrays of a domain over arrays
),

attribute as (
  select
    a.attrelid,
    json_agg(
      json_build_object(
        'name', a.attname,
        'type', format_type(a.atttypid, a.atttypmod),
        'base', b.name,
        'array', b.is_array,
        'domain', b.is_domain,
        'labels', b.labels,
        'equality', b.equality,
        'not_null', a.attnotnull or b.typnotnull,
        'never_null', a.attnotnull and not exists (
          select from pg_constraint as v
          where v.conrelid = a.attrelid and v.contype = 'n' and not v.convalidated and v.conkey[1] = a.attnum
        ),
        'default', a.atthasdef and a.attgenerated = '',
        'generated', a.attgenerated <> '',
        'identity', a.attidentity <> '',
        'always', a.attidentity = 'a',
        'length',
        case
          when b.name in ('pg_catalog.varchar', 'pg_catalog.bpchar')
            then nullif(greatest(a.atttypmod, b.typtypmod), -1) - 4
        end,
        'deterministic', coalesce(l.collisdeterministic, true),
        'collation',
        case when l.collname <> 'default' then quote_ident(m.nspname) || '.' || quote_ident(l.collname) end,
        'comment', col_description(a.attrelid, a.attnum)
      ) order by a.attnum
    ) as columns
  from pg_attribute as a
  inner join place as p on a.attrelid = p.oid
  inner join base as b on a.atttypid = b.oid
  left join pg_collation as l on a.attcollation = l.oid
  left join pg_namespace as m on l.collnamespace = m.oid
  where a.attnum > 0 and not a.attisdropped and not p.relispartition
  group by a.attrelid
),

-- A constraint of a partition counts where the table that it is a part of does not have it.
rule as (
  select
    coalesce(t.root, k.conrelid) as relation,
    json_agg(
      json_build_object(
        'name', k.conname,
        'kind', k.contype,
        'columns', (
          select coalesce(json_agg(a.attname order by u.place), '[]')
          from unnest(k.conkey) with ordinality as u (number, place)
          inner join pg_attribute as a on a.attrelid = k.conrelid and u.number = a.attnum
        ),
        'target_schema', x.nspname,
        'target_table', x.relname,
        'target_columns', (
          select json_agg(a.attname order by u.place)
          from unnest(k.confkey) with ordinality as u (number, place)
          inner join pg_attribute as a on a.attrelid = k.confrelid and u.number = a.attnum
        ),
        'on_delete', nullif(k.confdeltype, ' '),
        'on_delete_columns', (
          select json_agg(a.attname order by u.place)
          from unnest(k.confdelsetcols) with ordinality as u (number, place)
          inner join pg_attribute as a on a.attrelid = k.conrelid and u.number = a.attnum
        ),
        'on_update', nullif(k.confupdtype, ' '),
        'match_full', k.confmatchtype = 'f',
        'period', coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false), -- since 18
        'deferrable', k.condeferrable,
        'valid', k.convalidated,
        'expression', case when k.contype = 'c' then pg_get_expr(k.conbin, k.conrelid) end,
        'nulls_not_distinct',
        coalesce((
          select i.indnullsnotdistinct from pg_index as i
          where i.indexrelid = k.conindid and k.contype = 'u'
        ), false),
        'partition',
        case when t.oid is not null then (
          select p.nspname || '.' || p.relname from place as p
          where p.oid = k.conrelid
        ) end
      ) order by k.contype, k.conname, k.conrelid::regclass::text
    ) as constraints
  from pg_constraint as k
  inner join place as p on k.conrelid = p.oid
  left join part as t on k.conrelid = t.oid
  left join part as f on k.confrelid = f.oid
  left join place as x on x.oid = coalesce(f.root, k.confrelid)
  where
    k.contype in ('p', 'u', 'f', 'c', 'x')
    and (t.oid is null or (k.conparentid = 0 and k.coninhcount = 0 and k.contype in ('f', 'c')))
    and not (k.contype = 'f' and k.conparentid <> 0)
  group by 1
),

finder as (
  select
    i.indrelid,
    json_agg(
      json_build_object(
        'name', c.relname,
        'unique', i.indisunique,
        'valid', i.indisvalid,
        'method', m.amname,
        'columns', (
          select
            json_agg(
              case
                when i.indkey[k.n - 1] <> 0 then json_build_object('column', a.attname)
                else json_build_object('expression', pg_get_indexdef(i.indexrelid, k.n, false))
              end order by k.n
            )
          from generate_series(1, i.indnkeyatts) as k (n)
          left join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[k.n - 1] and a.attnum <> 0
        ),
        'predicate', pg_get_expr(i.indpred, i.indrelid)
      ) order by c.relname
    ) as indexes
  from pg_index as i
  inner join place as p on i.indrelid = p.oid and not p.relispartition
  inner join pg_class as c on i.indexrelid = c.oid
  inner join pg_am as m on c.relam = m.oid
  group by i.indrelid
),

trigger as (
  select
    coalesce(t.root, g.tgrelid) as relation,
    json_agg(
      json_build_object(
        'name', g.tgname,
        'insert', g.tgtype & 4 <> 0,
        'delete', g.tgtype & 8 <> 0,
        'update', g.tgtype & 16 <> 0,
        'truncate', g.tgtype & 32 <> 0,
        'before', g.tgtype & 2 <> 0,
        'enabled', g.tgenabled,
        'function', s.nspname || '.' || f.proname,
        'language', l.lanname,
        'search_path', (
          select substr(v, 13) from unnest(f.proconfig) as v
          where v like 'search_path=%'
        ),
        'body', f.prosrc
      ) order by g.tgname, g.tgrelid::regclass::text
    ) as triggers
  from pg_trigger as g
  inner join place as p on g.tgrelid = p.oid
  inner join pg_proc as f on g.tgfoid = f.oid
  inner join pg_namespace as s on f.pronamespace = s.oid
  inner join pg_language as l on f.prolang = l.oid
  left join part as t on g.tgrelid = t.oid
  where not g.tgisinternal and g.tgparentid = 0
  group by 1
),

policy as (
  select
    coalesce(t.root, y.polrelid) as relation,
    json_agg(
      json_build_object(
        'name', y.polname,
        'command', y.polcmd,
        'permissive', y.polpermissive,
        'roles', (
          select
            json_agg(
              case when r.oid = 0 then 'public' else pg_get_userbyid(r.oid) end
              order by r.oid = 0, pg_get_userbyid(r.oid)
            )
          from unnest(y.polroles) as r (oid)
        ),
        'using', pg_get_expr(y.polqual, y.polrelid),
        'check', pg_get_expr(y.polwithcheck, y.polrelid)
      ) order by y.polname, y.polrelid::regclass::text
    ) as policies
  from pg_policy as y
  inner join place as p on y.polrelid = p.oid
  left join part as t on y.polrelid = t.oid
  group by 1
),

rewrite as (
  select
    w.ev_class,
    json_agg(
      json_build_object('name', w.rulename, 'event', w.ev_type, 'instead', w.is_instead) order by w.rulename
    ) as rules
  from pg_rewrite as w
  inner join place as p on w.ev_class = p.oid
  where w.rulename <> '_RETURN'
  group by w.ev_class
),

source as (
  select
    w.ev_class,
    json_agg(distinct p.nspname || '.' || p.relname) as reads
  from pg_rewrite as w
  inner join
    pg_depend as d
    on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid and d.refclassid = 'pg_class'::regclass
  left join part as t on d.refobjid = t.oid
  inner join place as p on p.oid = coalesce(t.root, d.refobjid)
  where w.rulename = '_RETURN' and d.refobjid <> w.ev_class
  group by w.ev_class
),

partition as (
  select
    t.root,
    json_agg(json_build_object('schema', p.nspname, 'name', p.relname) order by p.nspname, p.relname) as partitions,
    sum(greatest(p.reltuples, 0)) as reltuples,
    bool_or(p.relrowsecurity) as relrowsecurity
  from part as t
  inner join place as p on t.oid = p.oid
  group by t.root
)

select
  json_build_object(
    'version', 1,
    'server_version', current_setting('server_version_num')::integer,
    'tables', coalesce(
      json_agg(
        json_build_object(
          'schema', p.nspname,
          'name', p.relname,
          'kind', p.relkind,
          'rows', greatest(p.reltuples, 0) + coalesce(r.reltuples, 0),
          'owner', pg_get_userbyid(p.relowner),
          'row_security', p.relrowsecurity or coalesce(r.relrowsecurity, false),
          'row_security_forced', p.relforcerowsecurity,
          'has_children', p.relkind = 'r' and exists (
            select from pg_inherits as i
            where i.inhparent = p.oid
          ),
          'inherits', exists (
            select from pg_inherits as i
            where i.inhrelid = p.oid
          ),
          'comment', obj_description(p.oid, 'pg_class'),
          'columns', coalesce(a.columns, '[]'),
          'constraints', coalesce(k.constraints, '[]'),
          'indexes', coalesce(i.indexes, '[]'),
          'triggers', coalesce(g.triggers, '[]'),
          'policies', coalesce(y.policies, '[]'),
          'rules', coalesce(w.rules, '[]'),
          'reads', coalesce(s.reads, '[]'),
          'partitions', coalesce(r.partitions, '[]'),
          'partition_key', (
            select coalesce(json_agg(b.attname order by b.attnum), '[]')
            from pg_partitioned_table as d
            inner join pg_attribute as b on d.partrelid = b.attrelid and b.attnum = any(d.partattrs::smallint[])
            where d.partrelid = p.oid
          )
        ) order by p.nspname collate pg_catalog."C", p.relname collate pg_catalog."C"
      ),
      '[]'
    )
  )::text
from place as p
left join attribute as a on p.oid = a.attrelid
left join rule as k on p.oid = k.relation
left join finder as i on p.oid = i.indrelid
left join trigger as g on p.oid = g.relation
left join policy as y on p.oid = y.relation
left join rewrite as w on p.oid = w.ev_class
left join source as s on p.oid = s.ev_class
left join partition as r on p.oid = r.root
where not p.relispartition;

-- fingerprint: one hash of what plans are made of: tables, columns, keys, checks, triggers, policies, rules. No OID in it
with place as materialized (
  select
    c.oid,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
    c.relkind,
    c.relispartition,
    c.relrowsecurity,
    c.relforcerowsecurity,
    c.relowner
  from pg_class as c
  inner join pg_namespace as n on c.relnamespace = n.oid
  where
    c.relkind in ('r', 'p', 'm', 'f')
    and n.nspname not in ('pg_catalog', 'information_schema', 'gdpr')
    and n.nspname !~ '^pg_(toast|temp)'
    and c.relpersistence <> 't'
    and not exists (
      select from pg_depend as d
      where
        d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
        and not exists (  -- what hangs from a table of ours goes when a row of that goes
          select from pg_constraint as k
          where
            k.conrelid = c.oid and k.contype = 'f' and not exists (
              select from pg_depend as o
              where o.classid = d.classid and o.objid = k.confrelid and o.deptype = 'e'
            )
        )
    )
),

-- A partition that is like its table adds nothing; what is its own does, under the name of its table.
known as materialized (
  select
    p.oid,
    coalesce(r.name, p.name) as name,
    p.relispartition
  from place as p
  left join lateral (
    select u.name from place as u
    where p.relispartition and u.oid = pg_partition_root(p.oid)
  ) as r on true
),

line as (
  select
    concat_ws(' ', 'table', p.name, p.relkind, p.relrowsecurity, p.relforcerowsecurity, p.relowner::regrole) as text
  from place as p
  where not p.relispartition
  union all
  select
    concat_ws(
      ' ', 'column', k.name, quote_ident(a.attname), a.atttypid::regtype, a.atttypmod, a.attnotnull, a.attgenerated,
      a.attidentity, nullif(a.attcollation, 100)::regcollation,
      case when a.attgenerated <> '' then (
        select regexp_replace(pg_get_expr(e.adbin, e.adrelid, true), '(''(?:[^'']|'''')*'')|::(?:"[^"]+"|[a-z_. ]+)(?:[(][0-9,]+[)])?(?:[[]])?', '\1', 'g') from pg_attrdef as e
        where e.adrelid = a.attrelid and e.adnum = a.attnum
      ) end
    )
  from known as k
  inner join pg_attribute as a on k.oid = a.attrelid
  where not k.relispartition and a.attnum > 0 and not a.attisdropped
  union all
  select
    concat_ws(
      ' ', 'constraint', k.name, quote_ident(c.conname), c.contype,
      (
        select string_agg(quote_ident(a.attname), ',' order by u.n)
        from unnest(c.conkey) with ordinality as u (attnum, n)
        inner join pg_attribute as a on a.attrelid = c.conrelid and u.attnum = a.attnum
      ),
      c.confrelid::regclass,
      (
        select string_agg(quote_ident(a.attname), ',' order by u.n)
        from unnest(c.confkey) with ordinality as u (attnum, n)
        inner join pg_attribute as a on a.attrelid = c.confrelid and u.attnum = a.attnum
      ),
      c.confdeltype, c.confupdtype, c.confmatchtype, c.condeferrable, c.convalidated,
      (
        select string_agg(quote_ident(a.attname), ',' order by u.n)
        from unnest(c.confdelsetcols) with ordinality as u (attnum, n)
        inner join pg_attribute as a on a.attrelid = c.conrelid and u.attnum = a.attnum
      ),
      -- As few parentheses as there can be, and without casts, which come out otherwise once a dump has been restored.
      case when c.contype = 'c' then regexp_replace(pg_get_expr(c.conbin, c.conrelid, true), '(''(?:[^'']|'''')*'')|::(?:"[^"]+"|[a-z_. ]+)(?:[(][0-9,]+[)])?(?:[[]])?', '\1', 'g') end
    )
  from known as k
  inner join pg_constraint as c on k.oid = c.conrelid
  where
    c.contype in ('p', 'u', 'f', 'c', 'x') and c.conparentid = 0
    and (not k.relispartition or (c.coninhcount = 0 and c.contype = 'f'))
  union all
  select concat_ws(' ', 'unique', k.name, regexp_replace(pg_get_indexdef(i.indexrelid, 0, true), '(''(?:[^'']|'''')*'')|::(?:"[^"]+"|[a-z_. ]+)(?:[(][0-9,]+[)])?(?:[[]])?', '\1', 'g'))
  from known as k
  inner join pg_index as i on k.oid = i.indrelid
  where
    not k.relispartition and i.indisunique and i.indisvalid
    and not exists (
      select from pg_constraint as c
      where c.conindid = i.indexrelid and c.conrelid = k.oid
    )
  union all
  select
    concat_ws(
      ' ', 'trigger', k.name, g.tgenabled, regexp_replace(pg_get_triggerdef(g.oid, true), '(''(?:[^'']|'''')*'')|::(?:"[^"]+"|[a-z_. ]+)(?:[(][0-9,]+[)])?(?:[[]])?', '\1', 'g'), md5(f.prosrc), f.proconfig::text,
      f.prosecdef, f.proowner::regrole
    )
  from known as k
  inner join pg_trigger as g on k.oid = g.tgrelid
  inner join pg_proc as f on g.tgfoid = f.oid
  where not g.tgisinternal and g.tgparentid = 0
  union all
  select
    concat_ws(
      ' ', 'policy', k.name, quote_ident(y.polname), y.polcmd, y.polpermissive,
      (select string_agg(r::regrole::text, ',' order by r::regrole::text) from unnest(y.polroles) as r),
      regexp_replace(concat(pg_get_expr(y.polqual, y.polrelid, true), '/', pg_get_expr(y.polwithcheck, y.polrelid, true)), '(''(?:[^'']|'''')*'')|::(?:"[^"]+"|[a-z_. ]+)(?:[(][0-9,]+[)])?(?:[[]])?', '\1', 'g')
    )
  from known as k
  inner join pg_policy as y on k.oid = y.polrelid
  union all
  select concat_ws(' ', 'security', k.name, c.relrowsecurity, c.relforcerowsecurity)
  from known as k
  inner join pg_class as c on k.oid = c.oid
  where k.relispartition and (c.relrowsecurity or c.relforcerowsecurity)
  union all
  select concat_ws(' ', 'rule', k.name, md5(regexp_replace(pg_get_ruledef(w.oid, true), '(''(?:[^'']|'''')*'')|::(?:"[^"]+"|[a-z_. ]+)(?:[(][0-9,]+[)])?(?:[[]])?', '\1', 'g')))
  from known as k
  inner join pg_rewrite as w on k.oid = w.ev_class
  union all
  select concat_ws(' ', 'inherits', k.name, i.inhparent::regclass)
  from known as k
  inner join pg_inherits as i on k.oid = i.inhrelid
  where not k.relispartition
  union all
  select
    concat_ws(
      ' ', 'type', t.oid::regtype, t.typtype, t.typnotnull, nullif(t.typbasetype, 0)::regtype, t.typtypmod,
      (
        select string_agg(quote_literal(e.enumlabel), ',' order by e.enumsortorder) from pg_enum as e
        where e.enumtypid = t.oid
      ),
      (
        select string_agg(regexp_replace(pg_get_constraintdef(c.oid, true), '(''(?:[^'']|'''')*'')|::(?:"[^"]+"|[a-z_. ]+)(?:[(][0-9,]+[)])?(?:[[]])?', '\1', 'g'), ',' order by c.conname) from pg_constraint as c
        where c.contypid = t.oid
      )
    )
  from pg_type as t
  inner join pg_namespace as n on t.typnamespace = n.oid
  where
    t.typtype in ('e', 'd') and n.nspname not in ('pg_catalog', 'information_schema', 'gdpr')
    and n.nspname !~ '^pg_(toast|temp)'
    and not exists (
      select from pg_depend as d
      where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
    )
)

select
  encode(
    sha256(convert_to(coalesce(string_agg(l.text, e'\n' order by l.text collate pg_catalog."C"), ''), 'UTF8')), 'hex'
  )
from line as l;
