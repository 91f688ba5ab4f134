"""Rows that leave this database as they change, or come into it: publications and subscriptions (A4).

A subscriber holds the same data and erases nothing by itself but what is published to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datamap.check.outcomes import outcomes
from datamap.check.server import Server
from datamap.check.survey import Survey
from datamap.compile.resolution import Dataset
from datamap.fault import Fault
from datamap.names import Table as Name
from datamap.names import quoted


def faults(survey: Survey, server: Server | None) -> Iterator[Fault]:
    """Of the tables that an erasure changes."""
    if server is None or not survey.touched:
        return
    changed = {outcome.dataset.name for outcome in outcomes(survey)}
    for schema, table, publication, updates, deletes, unnamed in server.rows(_PUBLISHED, what=_WHAT) or ():
        name = Name(schema, table)
        if name in survey.touched:
            wanted = [("updates", updates)] if name in changed else []
            wanted += [("deletions", deletes)] if name in survey.deletable else []
            yield from _published(survey.touched[name], publication, dict(wanted))
            yield from _refused(survey.touched[name], publication, dict(wanted), [Name(*each) for each in unnamed])
    for schema, table in server.rows(_SUBSCRIBED, what=_WHAT) or ():
        if Name(schema, table) in survey.touched:
            yield _subscribed(survey.touched[Name(schema, table)])


def _published(dataset: Dataset, publication: str, wanted: Mapping[str, bool]) -> Iterator[Fault]:
    missing = [what for what, is_sent in wanted.items() if not is_sent]
    if missing:
        yield Fault(
            code="replicated",
            message=f"The publication {publication} sends the rows of {dataset.name} to other databases, and not their"
            f" {' and '.join(missing)}: what is erased here stays there",
            where=dataset.where,
            severity="warning",
            remedy=f"alter publication {quoted(publication)} set (publish = 'insert, update, delete, truncate');",
        )


def _refused(dataset: Dataset, publication: str, wanted: Mapping[str, bool], unnamed: list[Name]) -> Iterator[Fault]:
    """Postgres has to say which row is meant; a partition does so for itself."""
    if unnamed and any(wanted.values()):
        yield Fault(
            code="replicated",
            message=f"{dataset.name} is in the publication {publication} and has no replica identity: Postgres refuses"
            " what an erasure does with its rows",
            where=dataset.where,
            remedy="\n".join(f"alter table {name.sql} replica identity full;" for name in unnamed)
            + "\nor give it a primary key",
        )


def _subscribed(dataset: Dataset) -> Fault:
    return Fault(
        code="replicated",
        message=f"The rows of {dataset.name} come from another database by a subscription: what is erased here stays"
        " there, and comes again when it changes there",
        where=dataset.where,
        severity="warning",
        remedy="erase where they come from: erase: external_manual, and in reason: who does it and how",
    )


_WHAT = "which rows are sent to other databases"
# By its primary key a row is named unless something else is said.
_PUBLISHED = """
select n.nspname::text, coalesce(root.relname, c.relname)::text, p.pubname::text,
  bool_and(p.pubupdate), bool_and(p.pubdelete),
  coalesce(json_agg(json_build_array(leaf.schema, leaf.name)) filter (where not leaf.is_named), '[]')
from pg_publication_tables as t
join pg_publication as p on p.pubname = t.pubname
join pg_namespace as own on own.nspname = t.schemaname
join pg_class as c on c.relnamespace = own.oid and c.relname = t.tablename
left join pg_class as root on c.relispartition and root.oid = pg_partition_root(c.oid)
join pg_namespace as n on n.oid = coalesce(root.relnamespace, c.relnamespace)
cross join lateral (
  select s.nspname as schema, l.relname as name, l.relreplident = 'f' or exists (
    select from pg_index as i
    where i.indrelid = l.oid and i.indisvalid
      and case l.relreplident when 'd' then i.indisprimary else l.relreplident = 'i' and i.indisreplident end
  ) as is_named
  from pg_class as l
  join pg_namespace as s on s.oid = l.relnamespace
  where l.relkind <> 'p' and (l.oid = c.oid or l.oid in (select f.relid from pg_partition_tree(c.oid) as f))
) as leaf
group by 1, 2, 3
order by 1, 2, 3
"""
_SUBSCRIBED = """
select distinct n.nspname::text, coalesce(root.relname, c.relname)::text
from pg_subscription_rel as s
join pg_class as c on c.oid = s.srrelid
left join pg_class as root on c.relispartition and root.oid = pg_partition_root(c.oid)
join pg_namespace as n on n.oid = coalesce(root.relnamespace, c.relnamespace)
order by 1, 2
"""
