"""Who reads a table in the end: the application's roles, the roles that they may become, owners of views for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from datamap.check.server import Server
from datamap.compile.resolution import Dataset
from datamap.names import Table as Name
from datamap.names import literal, quoted


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A role as row-level security sees it."""

    name: str
    bypasses: bool
    belongs: frozenset[str]  # the roles whose policies are meant for it as well, its own among them

    @property
    def literal(self) -> str:
        return literal(self.name)


@dataclass(frozen=True, kw_only=True)
class View:
    """Reads the table as its owner, whoever asks."""

    name: Name
    is_stored: bool
    owner: Reader
    ending: str  # of its query: what it says behind WHERE

    @property
    def sql(self) -> str:
        return self.name.sql


def readers(role: str, dataset: Dataset, server: Server) -> list[Reader]:
    """The role, and those that it may become, as far as they may read the table; itself first."""
    question = _READERS.format(role=literal(role), **_place(dataset))
    found = server.rows(question, what=_what(role, dataset), tables=(dataset.name,)) or ()
    return [Reader(name=name, bypasses=bypasses, belongs=frozenset(belongs)) for name, bypasses, belongs in found]


def views(role: str, dataset: Dataset, server: Server) -> Iterator[View]:
    """Those that show the table to the role, directly or through others."""
    question = _VIEWS.format(role=literal(role), **_place(dataset))
    found = server.rows(question, what=_what(role, dataset), tables=(dataset.name,)) or ()
    for schema, name, is_stored, ending, owner, bypasses, belongs in found:
        reader = Reader(name=owner, bypasses=bypasses, belongs=frozenset(belongs))
        yield View(name=Name(schema, name), is_stored=is_stored, owner=reader, ending=ending or "")


def _place(dataset: Dataset) -> dict[str, str]:
    return {
        "table": f"{literal(dataset.name.sql)}::regclass",
        "schema": literal(quoted(dataset.name.schema)),
    }


def _what(role: str, dataset: Dataset) -> str:
    return f"whether the role {role} still reads what is kept in {dataset.name}"


_BELONGS = "array(select m.rolname::text from pg_roles as m where pg_has_role(r.oid, m.oid, 'usage'))"
_READERS = f"""
select r.rolname::text, r.rolbypassrls or r.rolsuper, {_BELONGS}
from pg_roles as r
where pg_has_role({{role}}, r.oid, 'set')
  and has_any_column_privilege(r.oid, {{table}}, 'select') and has_schema_privilege(r.oid, {{schema}}, 'usage')
order by r.rolname <> {{role}}, r.rolname
"""

# A view with security_invoker asks as whoever reads it, also below another view.
_VIEWS = f"""
with recursive place as (
  select c.oid, c.relname, c.relkind, c.relowner, c.relnamespace, d.refobjid as source
  from pg_class as c
  join pg_rewrite as w on w.ev_class = c.oid and w.rulename = '_RETURN'
  join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid
  where c.relkind in ('v', 'm') and not coalesce(
    (select o.option_value::boolean from pg_options_to_table(c.reloptions) as o
     where o.option_name = 'security_invoker'), false)
),
above as (
  select p.oid as root, p.oid from place as p where p.source = {{table}}
  union
  select a.root, p.oid from above as a join place as p on p.source = a.oid
)
select n.nspname::text, c.relname::text, c.relkind = 'm', substring(pg_get_viewdef(c.oid) from '(?i)\\mwhere\\M(.*)'),
  r.rolname::text, r.rolbypassrls or r.rolsuper, {_BELONGS}
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_roles as r on r.oid = c.relowner
where exists (
  select from above as a join pg_class as s on s.oid = a.oid
  join pg_roles as b on pg_has_role({{role}}, b.oid, 'set')
  where a.root = c.oid and has_any_column_privilege(b.oid, s.oid, 'select')
    and has_schema_privilege(b.oid, s.relnamespace, 'usage')
)
order by 1, 2
"""
