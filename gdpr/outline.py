"""A plan in a few lines for each table: by what its rows are found, and what an erasure does with them.

Told from the plan alone, so that the one in use can be told as well as one that was just compiled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datamap.names import NotAName, Place
from datamap.names import Table as Name
from gdpr.columns import WIDTH, aligned, filled
from gdpr.quantity import counted
from shared.plan import Dataset, Kind, Plan, Statement

Entry = Mapping[str, Any]  # a part of the map, as a plan carries it


_LIKEWISE = "likewise"  # in place of the same words again


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way in which rows of a table are found, and what becomes of those that are."""

    by: str
    does: str
    is_theirs: bool  # they belong to the person, who did not merely act on them
    ends: str | None = None  # rows are kept for this long, and then deleted


def outline(plan: Plan, kind: Kind, chosen: Collection[str] = (), *, width: int = WIDTH) -> Iterator[str]:
    """The lines for one kind of subject; with `chosen`, what has to do with these tables."""
    guards = _guards(plan, kind, chosen)
    rows = [("table", "found by", "stops at", "an erasure")]
    for table in tables(kind):
        if not chosen or table in chosen:
            rows += _rows(table, ways(plan, kind, table), _numbers(table, guards))
    yield from aligned(rows, width=width)
    yield from _left_out(kind, chosen, width)
    yield from _stopping(guards, width)
    yield from () if chosen else _left_to_hands(plan, width)
    if kind.locked and not chosen:
        yield ""
        locks = f"It locks the rows that it finds, and no others, in {counted(len(kind.locked), 'table')}"
        yield from filled(f"{locks}{_unlocked(kind)}.", width=width)


def _rows(table: str, found: list[Way], stops: str) -> Iterator[tuple[str, str, str, str]]:
    """The table once, and what is done once."""
    before = None
    for way in found:
        is_again = way.does == before and len(way.does) > len(_LIKEWISE)
        does = _LIKEWISE if is_again else way.does
        yield (table, way.by, stops, does) if before is None else ("", way.by, "", does)
        before = way.does


def _guards(plan: Plan, kind: Kind, chosen: Collection[str]) -> dict[str, list[Statement]]:
    """By what they look for; without those that find nothing, since the erasure takes each such link away."""
    found: dict[str, list[Statement]] = {}
    for statement in kind.erase:
        is_told = statement.purpose == "guard" and (not chosen or set(_names(statement)) & set(chosen))
        if is_told and not _is_taken_away(plan, kind, statement):
            found.setdefault(statement.why, []).append(statement)
    return found


def _is_taken_away(plan: Plan, kind: Kind, guard: Statement) -> bool:
    """Whether every row that points there by this link is found by it, and points there no more."""
    decision = _decisions(plan).get(guard.dataset, {})
    if guard.link is None or any(entry.get("when") for entry in _entries(decision, guard.link)):
        return False
    captures = (s for s in kind.erase if s.purpose == "capture" and (s.dataset, s.link) == (guard.dataset, guard.link))
    by_table = _word_or_setting(decision.get("erase"))
    done = [_way(capture, decision, by_table, None).does for capture in captures]
    columns = guard.link.split(", ")
    return any(each == "unlinks" or any(f"{column} → " in each for column in columns) for each in done)


def _numbers(table: str, guards: Mapping[str, list[Statement]]) -> str:
    about = (any(table in _names(each) for each in alike) for alike in guards.values())
    return " ".join(f"[{number}]" for number, is_about in enumerate(about, 1) if is_about)


def _stopping(guards: Mapping[str, list[Statement]], width: int) -> Iterator[str]:
    if not guards:
        return
    yield ""
    yield "An erasure stops before it has changed anything where it finds (docs/ownership.md, rules 13 and 14):"
    for number, (why, alike) in enumerate(guards.items(), 1):
        places = ", ".join(f"{each.dataset} ({each.link})" if each.link else each.dataset for each in alike)
        yield from filled(f"[{number}] {why}: {places}", margin="  ", below=" " * 6, width=width)


def _names(statement: Statement) -> list[str]:
    return statement.dataset.split(", ")


def _left_out(kind: Kind, chosen: Collection[str], width: int) -> Iterator[str]:
    """What an export does not show, though it is in a row of theirs."""
    shown = [d for d in kind.datasets if _is_exported(d) and (not chosen or d.name in chosen)]
    hidden = [(d.name, c) for d in shown for c in d.columns if c.export != "value"]
    if hidden:
        yield ""
        yield "An export leaves out:"
        listed = [(f"{name}.{column.name}", column.reason or column.export) for name, column in hidden]
        yield from aligned(listed, margin="  ", width=width)


def by_hand(plan: Plan) -> list[str]:
    """What an erasure leaves to somebody, with the way in which they do it: tables, and keys of the cache."""
    cache = {name: entry for name, entry in plan.map.get("cache", {}).items() if isinstance(entry, Mapping)}
    entries = {**_decisions(plan), **cache}
    told = {name: entry.get("reason") for name, entry in entries.items() if entry.get("erase") == "external_manual"}
    return [f"{name} ({reason})" if reason else name for name, reason in told.items()]


def _left_to_hands(plan: Plan, width: int) -> Iterator[str]:
    if told := by_hand(plan):
        yield ""
        yield from filled(f"By hand: {', '.join(told)}.", width=width)


def _is_exported(dataset: Dataset) -> bool:
    return any(statement.purpose == "export" for statement in dataset.reads)


def tables(kind: Kind) -> list[str]:
    """All that the plan has to do with; those at the end that only lose what they point at."""
    captured = (statement.dataset for statement in kind.erase if statement.purpose == "capture")
    return list(dict.fromkeys([*(dataset.name for dataset in kind.datasets), *captured]))


def ways(plan: Plan, kind: Kind, table: str) -> list[Way]:
    """In the order of the statements that find the rows: what is theirs, what they acted on, what loses its parent."""
    dataset = next((dataset for dataset in kind.datasets if dataset.name == table), None)
    decision = _decisions(plan).get(table, {})
    does = _by_table(plan, kind, dataset, decision) if dataset else "unlinks"
    captures = [s for s in kind.erase if s.purpose == "capture" and s.dataset == table]
    ends = _term(plan, kind, dataset) if dataset and dataset.action == "keep" else None
    if captures:
        return [_way(capture, decision, does, ends) for capture in captures]
    reads = dataset.reads if dataset else ()
    named = [s.link for s in reads if s.purpose == "verify" and s.link] or ["what it hangs from"]
    return [Way(by=link, does=does, is_theirs=True, ends=ends) for link in named]


def _way(capture: Statement, decision: Entry, by_table: str, ends: str | None) -> Way:
    entries = _entries(decision, capture.link)
    own = [_word_or_setting(entry["erase"]) for entry in entries if entry.get("erase") not in (None, "undecided")]
    does = ", or ".join(dict.fromkeys(own))
    if capture.why.startswith("theirs"):
        by = capture.why.removeprefix("theirs, ").removeprefix("by ")
        identity = next((entry["identity"] for entry in entries if entry.get("identity")), None)
        by += f", their {identity}" if identity else ""
        return Way(by=by, does=does or by_table, is_theirs=True, ends=None if does else ends)
    how = "acted on" if capture.why.startswith("they acted") else "whose row goes"
    return Way(by=f"{capture.link}, {how}", does=does or "unlinks", is_theirs=False)


def _by_table(plan: Plan, kind: Kind, dataset: Dataset, decision: Entry) -> str:
    stays = [s.why.split(" keeps ")[0] for s in kind.erase if s.purpose == "stub" and s.dataset == dataset.name]
    stub = f"; a stub where {', '.join(dict.fromkeys(stays))} keeps rows" if stays else ""
    if dataset.action == "delete":
        return f"deletes{stub}"
    if dataset.action == "keep":
        return _kept(plan, kind, dataset, decision) + stub
    if dataset.action == "change":
        return _word_or_setting(decision.get("erase"))
    words = {"unlink": "unlinks", "refresh": "refreshes the view", "external_manual": "nothing: by hand"}
    reason = f", {decision['reason']}" if dataset.action == "external_manual" and decision.get("reason") else ""
    return words.get(dataset.action, dataset.action) + reason


def _kept(plan: Plan, kind: Kind, dataset: Dataset, decision: Entry) -> str:
    keep: Entry = decision.get("keep", {})
    law = ", ".join(filter(None, (keep.get("exception"), keep.get("law") or _retention(plan, dataset).get("law"))))
    ends = _term(plan, kind, dataset)
    then = f"; deletes after {ends}" if ends else ""
    return f"keeps {', '.join(keep.get('columns', []))}{f' ({law})' if law else ''}{then}"


def _term(plan: Plan, kind: Kind, dataset: Dataset) -> str | None:
    """How long rows are kept that an erasure deletes after that."""
    is_deleted = any(s.purpose == "delete" and dataset.name in _names(s) for s in kind.erase)
    return _retention(plan, dataset).get("period") if is_deleted else None


def _retention(plan: Plan, dataset: Dataset) -> Entry:
    found: Entry = plan.map.get("activities", {}).get(dataset.activity, {}).get("retention", {})
    return found


def _word_or_setting(erase: object) -> str:
    """`deletes` · `body → null, sender_id → nobody`"""
    if isinstance(erase, Mapping):
        return ", ".join(f"{column} → {_value(value)}" for column, value in sorted(erase.items()))
    return {"delete": "deletes", "unlink": "unlinks"}.get(str(erase), str(erase))


def _value(value: object) -> str:
    if value is None:
        return "null"
    return repr(value["value"]) if isinstance(value, Mapping) else str(value)


def _decisions(plan: Plan) -> dict[str, Entry]:
    """What the map says, by the names that a plan uses."""
    tables = plan.map.get("tables", {})
    return {str(Name.parse(text)): entry for text, entry in tables.items() if not text.endswith(".*")}


def entries(plan: Plan, table: str, link: str) -> list[Entry]:
    """What the map says of a link of a table."""
    return _entries(_decisions(plan).get(table, {}), link)


def is_shared(plan: Plan, table: str) -> bool:
    return _decisions(plan).get(table, {}).get("shared") is True


def _entries(decision: Entry, link: str | None) -> list[Entry]:
    """What the map says of a link, however it spells the place."""
    for text, entries in decision.get("links", {}).items():
        if link in (text, _spelled(text)):
            return list(entries)
    return []


def _spelled(text: str) -> str:
    try:
        return str(Place.parse(text))
    except NotAName:  # a column with a name that reads like a place
        return str(Place((text,)))


def _unlocked(kind: Kind) -> str:
    captured = {s.dataset for s in kind.erase if s.purpose == "capture"}
    others = [table for table in tables(kind) if table not in captured]
    return f"; none in {', '.join(others)}" if others else ""
