"""Tables that no link leads to: migrations, lists of countries, and those that may hold people after all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from datamap.catalogue import Table
from datamap.discover import categories, pairs, unseen, words
from datamap.discover.finding import Confidence, Decision
from datamap.discover.purity import open_to_anybody
from datamap.discover.questions import Sample
from datamap.names import Table as Name

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


@dataclass(frozen=True, kw_only=True)
class Around:
    """What else is known, of all tables."""

    linked: frozenset[tuple[Name, str]] = frozenset()  # the columns through which links lead
    mentions: Mapping[Name, Sequence[str]] = field(default_factory=dict)  # the columns in which people are mentioned
    parts: Mapping[Name, Name] = field(default_factory=dict)  # by table: somebody's, whose rows point at one of it each
    known: Collection[str] = frozenset()  # words of the database's own
    is_blind: bool = False


def decided(table: Table, sample: Sample | None, *, why_unread: str | None, around: Around) -> Decision:
    """What the map says of a table that no link to a person leads to."""
    known = _FRAMEWORK.get(table.name.name.lower()) or ("it has no columns" if not table.columns else None)
    if known is not None:
        return Decision(table=table.name, personal=False, reason=known)
    doubt = _doubt(table, sample, why_unread=why_unread, around=around)
    if doubt is not None:
        return Decision(table=table.name, is_undecided=True, notes=(doubt,), confidence="low")
    return Decision(
        table=table.name,
        personal=False,
        reason="nothing in it names or describes a person",
        confidence=_sure(sample, is_written=bool(_written(table))),
    )


def _written(table: Table) -> list[str]:
    return sorted(name for name, column in table.columns.items() if column.family in _WRITTEN)


def _doubt(table: Table, sample: Sample | None, *, why_unread: str | None, around: Around) -> str | None:
    """Why it may hold people after all."""
    if why_unread is not None:
        return f"its rows were not read: {why_unread}"
    if telling := categories.telling(table, sample):
        told = "; ".join(f"{name}: {why}" for name, why in telling[:4])
        return f"it looks personal ({told}), and no link says whose"
    return _of_rows(table, sample, around) or _unseen(table, around)


def _of_rows(table: Table, sample: Sample | None, around: Around) -> str | None:
    """What its name and its rows say."""
    written = _written(table)
    if set(words.words(table.name.name)) & _QUEUES and written:
        return f"tables like this hold people in {', '.join(written[:3])}, and none was found"
    if mentioned := around.mentions.get(table.name):
        return f"people are mentioned in {', '.join(mentioned[:3])}, where no link can say whose it is"
    if table.name in around.parts:
        return f"each row is pointed at by one of {around.parts[table.name]}: is it a part of that?"
    if unsaid := _unsaid(table, around):
        return f"what {unsaid} is the key of is not known, and it could be people's"
    if anybody := open_to_anybody(table, sample, around.known):
        return f"people could stand in {', '.join(anybody[:3])}, and no link says whose it is"
    return None


def _unseen(table: Table, around: Around) -> str | None:
    if around.is_blind and (hidden := list(unseen.columns(table))):
        return f"no values were seen, and people could stand in {', '.join(hidden[:3])}"
    return None


def _unsaid(table: Table, around: Around) -> str | None:
    """The id of a pair whose other half names no table that is there."""
    said = (pair.key for pair in (*pairs.pairs(table), *pairs.generic(table)))
    return next((key for key in said if (table.name, key) not in around.linked), None)


def _sure(sample: Sample | None, *, is_written: bool) -> Confidence:
    if sample is None or not sample.rows:
        return "low"
    return "high" if sample.is_complete and not is_written else "medium"
