"""What to write in the map where a trial finds rows that would be left pointing at nothing (rule 14)."""

from __future__ import annotations

from psycopg2.extensions import cursor

from datamap.names import NotAName, Place, Target
from datamap.names import Table as Name
from gdpr.outline import Entry, entries, is_shared
from shared.plan import Kind, Plan, Statement

_FACTS = """
select bool_and(a.attnotnull), exists (
  select from pg_catalog.pg_constraint as k
  where k.conrelid = a.attrelid and k.contype = 'f'
    and k.conkey @> array_agg(a.attnum) and k.conkey <@ array_agg(a.attnum)
)
from pg_catalog.pg_attribute as a
where a.attrelid = pg_catalog.to_regclass(%s) and a.attname = any(%s)
group by a.attrelid
"""


def remedy(cur: cursor, plan: Plan, kind: Kind, guard: Statement) -> str:
    """All that may be decided, each written whole."""
    from datamap.check.hanging import Hanging

    link, target = guard.link or "", guard.why.rpartition(" deleted rows of ")[2]
    said = entries(plan, guard.dataset, link)
    number = next((number for number, entry in enumerate(said) if _points_at(entry, target)), 0)
    place = _place(link)
    cur.execute(_FACTS, (Name.parse(guard.dataset).sql, list(place.columns)))
    is_never_null, is_held = cur.fetchone() or (False, False)
    return Hanging(
        table=guard.dataset,
        target=target,
        place=link,
        entries=said,
        number=number,
        is_nullable=not (place.is_plain and is_never_null),
        is_held=place.is_plain and bool(is_held),
        is_shared=is_shared(plan, guard.dataset),
        is_parent=target != kind.table,
    ).choices


def _points_at(entry: Entry, target: str) -> bool:
    return entry.get("to") is not None and str(Target.parse(entry["to"]).table) == target


def _place(text: str) -> Place:
    try:
        return Place.parse(text)
    except NotAName:  # a column with a name that reads like a place
        return Place((text,))
