"""Conditions that no row can meet: a link with one never names anybody, and what it should find stays."""

from __future__ import annotations

from collections.abc import Iterator

from datamap.check.codes import listed
from datamap.check.survey import Survey
from datamap.compile.resolution import Dataset, Link
from datamap.condition import Comparison
from datamap.fault import Fault
from datamap.spelling import nearest


def faults(survey: Survey) -> Iterator[Fault]:
    """What `when` compares with, against the CHECK that lists what a column may hold. Types are the compiler's."""
    for dataset in survey.resolution.datasets.values():
        for link in dataset.links:
            for comparison in link.condition.comparisons if link.condition else ():
                yield from _unmet(dataset, link, comparison)


def _unmet(dataset: Dataset, link: Link, comparison: Comparison) -> Iterator[Fault]:
    if not comparison.place.is_plain or comparison.operator not in ("=", "in"):
        return
    name = comparison.place.column
    allowed = listed(dataset.facts, name)
    for value in comparison.values:
        if allowed and str(value) not in allowed:
            meant = nearest(str(value), allowed)
            yield Fault(
                code="when_value",
                message=f"{dataset.name}, {name}: a CHECK keeps {value!r} out of this column, so no row is meant",
                where=(*link.where, "when"),
                remedy=f"did you mean '{meant}'?" if meant else f"one of: {', '.join(map(repr, allowed))}",
            )
