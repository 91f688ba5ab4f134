"""A report on a terminal: what somebody wants to know at once. The page and --json have the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from functions.audit_logging.reports import page, ropa_page, sentences, words
from functions.audit_logging.reports.data import RequestReport
from functions.audit_logging.reports.figures import RIGHTS, Figures
from functions.audit_logging.reports.ropa import Blank, Ropa
from functions.audit_logging.reports.words import counted
from gdpr.columns import Cell, aligned, filled

WIDTH = 80
_FEW = 10  # open requests on a terminal


def lines(found: RequestReport | Ropa) -> Iterator[str]:
    """What is shown, line by line."""
    return _of_ropa(found) if isinstance(found, Ropa) else _of_requests(found)


def _of_requests(report: RequestReport) -> Iterator[str]:
    found = report.figures
    yield from filled(f"{page.TITLE} · {report.controller} · {report.period.words}", width=WIDTH)
    yield from _said(sentences.summary(found))
    if found.received:
        yield from filled(sentences.described(found), width=WIDTH)
        yield from _table(_months(report))
    if found.listed:
        yield from _table(_owed(found))
        if found.open > _FEW:
            yield f"and {counted(found.open - _FEW, 'more request')}: see --json or --html"
    yield from _said(sentences.questions(found)) if found.received else ()
    if found.reasons:
        yield from _table(_reasons(found))
    if found.rows:
        yield from _table(_rows(found))
    yield from _said(_ledger(report))


def _said(*sentences: str) -> Iterator[str]:
    yield ""
    for sentence in sentences:
        yield from filled(sentence, width=WIDTH)


def _table(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    yield ""
    yield from aligned(rows, width=WIDTH)


def _months(report: RequestReport) -> list[list[Cell]]:
    found = report.figures
    rights = found.tally(lambda count: (count.month, count.right))
    states = found.tally(lambda count: (count.month, count.state))
    rows: list[list[Cell]] = [["month", *RIGHTS, "on time", "late", "open", "half within", "longest"]]
    for month in report.period.months:
        days = found.days.get(month)
        owed = states[month, "open"] + states[month, "overdue"]
        took: list[Cell] = [days.half, days.longest] if days else ["", ""]
        of_month = [rights[month, right] for right in RIGHTS]
        rows.append([str(month), *of_month, states[month, "on_time"], states[month, "late"], owed, *took])
    return rows


def _owed(found: Figures) -> list[list[Cell]]:
    rows: list[list[Cell]] = [["request", "last day", "left", "what it is"]]
    for each in found.listed[:_FEW]:
        what = each.right if each.status == "in_progress" else f"{each.right}, {words.status(each.status)}"
        rows.append([each.subject_request_id, each.due_on.isoformat(), words.days_left(each.days_left), what])
    return rows


def _reasons(found: Figures) -> list[list[Cell]]:
    rows: list[list[Cell]] = [["extended or refused", "reason", "requests", "person told"]]
    return rows + [[each.kind, each.code, each.number, each.told] for each in found.reasons]


def _rows(found: Figures) -> list[list[Cell]]:
    rows: list[list[Cell]] = [["erased: dataset", "done", "rows"]]
    return rows + [[each.dataset, each.done, each.number] for each in found.rows]


def _ledger(report: RequestReport) -> str:
    found = report.figures.ledger
    size = f"The ledger has {found.size:,} entries in its tree, and {found.waiting:,} wait for it"
    if found.checkpoint is None:
        return f"{size}; no checkpoint lies outside yet."
    at = words.instant(found.checkpoint.at, report.period.zone)
    return f"{size}; the last checkpoint outside is of {at} and covers {found.checkpoint.size:,}."


def _of_ropa(record: Ropa) -> Iterator[str]:
    yield from filled(f"{ropa_page.TITLE} (Art. 30) · {record.controller.name}", width=WIDTH)
    rows: list[list[Cell]] = [["activity", "purpose", "legal basis", "lies in"]]
    for each in record.activities:
        purposes = "?" if isinstance(each.purposes, Blank) else ", ".join(map(words.term, each.purposes))
        basis = "?" if isinstance(each.legal_basis, Blank) else words.term(each.legal_basis)
        rows.append([each.name, purposes, basis, counted(len(each.places), "place")])
    yield from _table(rows) if record.activities else _said("The data map names no activity.")
    yield from _said(f"{counted(len(record.blanks()), 'place')} to be filled by hand:")
    for path, blank in record.blanks():
        yield from filled(f"{path}: {blank.what} ({blank.by})", margin="  ", below="    ", width=WIDTH)
