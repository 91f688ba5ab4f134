"""When the term of a kept row ends, as SQL: the day up to which a law keeps it."""

from __future__ import annotations

from datamap import model
from datamap.compile.resolution import Dataset
from datamap.names import literal, quoted

TODAY = "cast(current_setting('gdpr.today') as pg_catalog.date)"


_DAYS = frozenset({"pg_catalog.date", "pg_catalog.timestamp", "pg_catalog.timestamptz"})


def retention_of(dataset: Dataset, data_map: model.Map) -> model.Retention | None:
    """How long the table's activity keeps its rows."""
    activity = data_map.activities.get(dataset.decision.activity or "")
    return activity.retention if activity else None


def has_ended(dataset: Dataset, data_map: model.Map) -> str | None:
    """The row's term is over; None where the map counts it from nothing that the row says."""
    end = term_end(dataset, data_map)
    return f"(({end} <= {TODAY}) is true)" if end else None


def term_end(dataset: Dataset, data_map: model.Map) -> str | None:
    """The first day on which the row may no longer be kept."""
    retention = retention_of(dataset, data_map)
    if retention is None or retention.period is None or not isinstance(retention.from_, model.Since):
        return None
    column = dataset.facts.columns.get(retention.from_.column)
    if column is None or column.is_array or column.base not in _DAYS:
        return None  # which the check tells
    start = f"t.{quoted(column.name)}"
    if column.base == "pg_catalog.timestamptz":
        start = f"({start} at time zone {literal(data_map.controller.timezone).strip()})"
    day = f"cast({start} as pg_catalog.date)"
    if retention.from_.round is not None:
        unit = retention.from_.round.removesuffix("_end")
        day = f"(date_trunc('{unit}', {day}) + interval '1 {unit}')"
    return f"cast({day} + interval '{retention.period}' as pg_catalog.date)"
