"""Tables that no link leads to: migrations, lists of countries, and those that may hold people after all."""

from __future__ import annotations

from datamap.catalogue import Table
from datamap.discover import categories, words
from datamap.discover.finding import Confidence, Decision
from datamap.discover.questions import Sample

_FRAMEWORK = {
    "schema_migrations": "migrations",
    "ar_internal_metadata": "settings of Rails",
    "django_migrations": "migrations",
    "django_content_type": "the list of Django's models",
    "alembic_version": "migrations",
    "flyway_schema_history": "migrations",
    "databasechangelog": "migrations",
    "databasechangeloglock": "migrations",
    "knex_migrations": "migrations",
    "knex_migrations_lock": "migrations",
    "_prisma_migrations": "migrations",
    "migrations": "migrations",
    "goose_db_version": "migrations",
    "__efmigrationshistory": "migrations",
    "sequelizemeta": "migrations",
    "spatial_ref_sys": "PostGIS's list of coordinate systems",
    "auth_permission": "the list of Django's permissions",
    "phinxlog": "migrations",
    "typeorm_metadata": "settings of TypeORM",
}
_QUEUES = words.listed(
    """
    audit log history version outbox queue job event session attachment blob trail notification mail email
    inbox archive deadletter failed request webhook activity
    """
)
_WRITTEN = ("text", "json", "bytes")


def decided(table: Table, sample: Sample | None, *, why_unread: str | None) -> Decision:
    """What the map says of a table that no link to a person leads to."""
    known = _FRAMEWORK.get(table.name.name.lower()) or ("it has no columns" if not table.columns else None)
    if known is not None:
        return Decision(table=table.name, personal=False, reason=known)
    doubt = _doubt(table, sample, why_unread=why_unread)
    if doubt is not None:
        notes = (doubt, *([f"not read: {why_unread}"] if why_unread else []))
        return Decision(table=table.name, is_undecided=True, notes=notes, confidence="low")
    return Decision(
        table=table.name,
        personal=False,
        reason="no link to a person, and no column that would hold one's data",
        confidence=_sure(sample, is_written=bool(_written(table))),
    )


def _written(table: Table) -> list[str]:
    return sorted(name for name, column in table.columns.items() if column.family in _WRITTEN)


def _doubt(table: Table, sample: Sample | None, *, why_unread: str | None) -> str | None:
    """Why it may hold people after all."""
    if telling := categories.telling(table, sample):
        told = "; ".join(f"{name}: {why}" for name, why in telling[:4])
        return f"it looks personal ({told}), and no link says whose"
    if why_unread is not None:
        return "its rows could not be seen"
    written = _written(table)
    if set(words.words(table.name.name)) & _QUEUES and written:
        return f"tables like this hold people in {', '.join(written[:3])}, and none was found"
    if sample is None and any(table.columns[name].family == "json" for name in written):
        return "no values were seen, and it holds JSON"
    return None


def _sure(sample: Sample | None, *, is_written: bool) -> Confidence:
    if sample is None or not sample.rows:
        return "low"
    return "high" if sample.is_complete and not is_written else "medium"
