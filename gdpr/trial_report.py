"""What a trial found, for a person at a terminal and for a machine. No value of anybody stands in either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gdpr.columns import Cell, aligned, plain
from gdpr.trial import ACTS, Found, Trial


def lines(trial: Trial) -> Iterator[str]:
    """A line for each table and link, then what stops an erasure, or what it left."""
    there = [found for found in trial.tables if found.is_there]
    rows: list[tuple[Cell, ...]] = [("table", "found by", "rows", "an erasure")]
    for found in there:
        rows += _rows(found)
    yield from aligned(rows)
    if none := len(trial.tables) - len(there):
        yield f"Nothing in {none} other table{'s' if none > 1 else ''} of the plan."
    yield ""
    yield from map(plain, _outcome(trial))


def _rows(found: Found) -> Iterator[tuple[Cell, ...]]:
    """The table once; each link that found something."""
    does = ", ".join(f"{number} {word}" for word, number in found.erasure.items() if number)
    links = {link: number for link, number in found.links.items() if number} or {"": found.theirs}
    for position, (link, number) in enumerate(links.items()):
        is_first = position == 0
        yield found.table if is_first else "", link, number, (does or "nothing") if is_first else ""


def _outcome(trial: Trial) -> Iterator[str]:
    if trial.stops:
        yield "An erasure would stop before it has changed anything:"
        for stop in trial.stops:
            yield f"  {stop.table}: {stop.rows} {stop.why} (docs/ownership.md, rule {stop.rule})"
            yield f"    {stop.remedy}"
    elif not trial.was_erased:
        yield "Nothing would stop an erasure. --erase runs it, with triggers and constraints."
    for statement, rows in trial.short.items():
        yield f"{statement}: {rows} rows fewer than planned; a trigger or a rule of the table is in the way"
    for place, rows in trial.left.items():
        yield f"{place}: {rows} rows would still be found by verification"
    if trial.was_erased and trial.is_clean:
        yield "The erasure ran to its end, and verification found nothing of them."


def as_data(trial: Trial) -> dict[str, Any]:
    """All tables, those with nothing as well."""
    return {
        "kind": trial.kind,
        "tables": [
            {
                "table": found.table,
                "theirs": found.theirs,
                "links": dict(found.links),
                "erasure": {word: found.erasure[word] for word in ACTS if word in found.erasure},
            }
            for found in trial.tables
        ],
        "stops": [asdict(stop) for stop in trial.stops],
        "was_erased": trial.was_erased,
        "left": dict(trial.left),
        "short": dict(trial.short),
    }
