-- Everything that there is in schema gdpr, one line each, in words that two installations share.
with our as (
  select n.oid from pg_namespace as n where n.nspname = 'gdpr'
),

relation as (
  select c.* from pg_class as c join our on c.relnamespace = our.oid
),

routine as (
  select p.* from pg_proc as p join our on p.pronamespace = our.oid
)

select 'schema owner ' || n.nspowner::regrole::text || ' acl ' || coalesce(n.nspacl::text, '') as line
from pg_namespace as n
join our on n.oid = our.oid
union all
select format(
  '%s %s owner %s persistence %s identity %s rls %s/%s options %s acl %s bound %s view %s comment %s',
  c.relkind, c.oid::regclass, c.relowner::regrole, c.relpersistence, c.relreplident, c.relrowsecurity,
  c.relforcerowsecurity, c.reloptions, c.relacl, pg_get_expr(c.relpartbound, c.oid),
  case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end, obj_description(c.oid, 'pg_class')
)
from relation as c
union all
select format(
  'column %s.%s %s %s collation %s null %s default %s identity %s generated %s storage %s acl %s comment %s',
  c.oid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation, not a.attnotnull,
  pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attstorage, a.attacl,
  col_description(c.oid, a.attnum)
)
from relation as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relkind in ('r', 'p', 'v', 'm')
union all
select format(
  'constraint %s on %s: %s comment %s',
  k.conname, k.conrelid::regclass, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint')
)
from pg_constraint as k
join our on k.connamespace = our.oid
union all
select pg_get_indexdef(i.indexrelid)
from pg_index as i
join relation as c on c.oid = i.indrelid
union all
select format('%s owner %s acl %s comment %s', pg_get_functiondef(p.oid), p.proowner::regrole, p.proacl, obj_description(p.oid))
from routine as p
union all
select format('%s enabled %s comment %s', pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger'))
from pg_trigger as t
join relation as c on c.oid = t.tgrelid
where not t.tgisinternal
union all
select format(
  'policy %s on %s for %s to %s using %s check %s',
  p.polname, p.polrelid::regclass, p.polcmd, p.polroles::regrole[],
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
)
from pg_policy as p
join relation as c on c.oid = p.polrelid
union all
select format('default of %s for %s: %s', d.defaclrole::regrole, d.defaclobjtype, d.defaclacl)
from pg_default_acl as d
union all
select format(
  'type %s %s %s base %s default %s acl %s comment %s',
  t.typname, t.typtype, pg_get_userbyid(t.typowner), format_type(t.typbasetype, t.typtypmod), t.typdefault, t.typacl,
  obj_description(t.oid, 'pg_type')
)
from pg_type as t
join our on t.typnamespace = our.oid
union all
select format('label %s %s %s', e.enumtypid::regtype, e.enumsortorder, e.enumlabel)
from pg_enum as e
join pg_type as t on t.oid = e.enumtypid
join our on t.typnamespace = our.oid
union all
select format(
  'sequence %s %s start %s by %s from %s to %s cache %s cycle %s',
  s.seqrelid::regclass, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle
)
from pg_sequence as s
join relation as c on c.oid = s.seqrelid
union all
select pg_get_ruledef(w.oid)
from pg_rewrite as w
join relation as c on c.oid = w.ev_class
where c.relkind not in ('v', 'm')
union all
select 'seed ' || to_jsonb(k)::text from gdpr.entry_kind as k
union all
select 'seed ' || to_jsonb(s)::text from gdpr.request_step as s
union all
select format('version %s %s', m.version, m.name) from gdpr.migration as m
order by 1;
