"""What a trial found, for a person at a terminal and for a machine. No value of anybody stands in either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gdpr.columns import Cell, aligned, filled
from gdpr.quantity import counted, listed
from gdpr.trial import ACTS, Found, Stop, Trial

_FUNCTION = "gdpr_erase"  # the role of data_deletion


def lines(trial: Trial) -> Iterator[str]:
    """A line for each table and link, then what stops an erasure, or what it left."""
    there = [found for found in trial.tables if found.is_there]
    rows: list[tuple[Cell, ...]] = [("table", "found by", "rows", "an erasure")]
    for found in there:
        rows += _rows(found)
    yield from aligned(rows)
    if none := len(trial.tables) - len(there):
        yield f"Nothing in {counted(none, 'other table')} of the plan."
    yield ""
    for line in (*_outcome(trial), *_kept(trial), *_limits(trial)):
        margin = " " * (len(line) - len(line.lstrip()))
        yield from filled(line.lstrip(), margin=margin, below=f"{margin}    ")


def _rows(found: Found) -> Iterator[tuple[Cell, ...]]:
    """The table once; each link that found something."""
    does = ", ".join(f"{number} {word}" for word, number in found.erasure.items() if number)
    links = {link: number for link, number in found.links.items() if number} or {"": found.theirs}
    for position, (link, number) in enumerate(links.items()):
        is_first = position == 0
        yield found.table if is_first else "", link, number, (does or "nothing") if is_first else ""


def _outcome(trial: Trial) -> Iterator[str]:
    if trial.stops:
        yield "An erasure would stop, and nothing would be changed:"
        for stop in trial.stops:
            yield f"  {stop.table}: {_in_words(stop)} (docs/ownership.md, rule {stop.rule})"
            yield from (f"    {line}" for line in stop.remedy.splitlines())
    elif not trial.was_erased:
        yield "Nothing would stop an erasure. --erase runs it, with triggers and constraints."
    for statement, rows in trial.short.items():
        yield f"{statement}: {counted(rows, 'row')} fewer than planned; a trigger or a rule of the table is in the way"
    for place, rows in trial.left.items():
        yield f"{place}: {counted(rows, 'row')} would still be found by verification"
    if trial.was_erased and trial.is_clean:
        but = " but what is kept" if _staying(trial, "kept") or _staying(trial, "stub") else ""
        yield f"The erasure ran to its end, and verification found nothing of them{but}."


def _in_words(stop: Stop) -> str:
    """`2 rows that name somebody else as well`; of one it names."""
    why = stop.why.removeprefix("rows ")
    if stop.rows == 1:
        why = why.replace("that name ", "that names ", 1).replace("that hang ", "that hangs ", 1)
    return f"{counted(stop.rows, 'row')} {why}"


def _staying(trial: Trial, how: str) -> dict[str, int]:
    return {found.table: found.erasure[how] for found in trial.tables if found.erasure.get(how)}


def _kept(trial: Trial) -> Iterator[str]:
    """What is there on purpose, once they are erased."""
    for how, why in (("kept", "kept by law"), ("stub", "left as a stub, since kept rows point there")):
        staying = _staying(trial, how)
        if number := sum(staying.values()):
            yield f"{counted(number, 'row')} {'is' if number == 1 else 'are'} {why}: {', '.join(staying)}."


def _limits(trial: Trial) -> Iterator[str]:
    """What this trial does not say."""
    if trial.has_key:
        yield "The identity is that of somebody with a key: they were tried by it."
    if trial.unseen:
        known = {"cache": "the cache", "objects": "the objects"}
        places = listed([known[part] for part in trial.unseen])
        yield f"Not looked at: {places}, of which the map speaks as well."
    if trial.by_hand:
        yield f"By hand: {', '.join(trial.by_hand)}."
    if trial.role == _FUNCTION:
        yield f"Tried as {trial.role}, as the function does it{_but(trial)}."
    else:
        yield f"Tried as {trial.role}: --as {_FUNCTION} tries what the function may do, and is shown."


def _but(trial: Trial) -> str:
    """Where a trigger was in the way: lent to whoever connected, the role is not the session's."""
    if trial.session == trial.role or not (trial.left or trial.short or any(stop.is_late for stop in trial.stops)):
        return ""
    return (
        f", but for triggers' functions that run as their owner (security definer): here these see {trial.session} as"
        f" session_user, and in the function {trial.role}. If one steps aside for that, connect as {trial.role} and"
        " leave out --as"
    )


def as_data(trial: Trial) -> dict[str, Any]:
    """All tables, those with nothing as well."""
    return {
        "kind": trial.kind,
        "role": trial.role,
        "session": trial.session,
        "has_key": trial.has_key,
        "unseen": list(trial.unseen),
        "by_hand": list(trial.by_hand),
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
