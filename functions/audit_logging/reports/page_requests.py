"""Parts of a report: requests by kind and month, the time that answers took, and what is owed today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from functions.audit_logging.reports import plot, sentences, words
from functions.audit_logging.reports.data import RequestReport
from functions.audit_logging.reports.figures import RIGHTS, STATES, Days, Figures, Open, State
from functions.audit_logging.reports.period import Month
from functions.audit_logging.reports.words import counted
from shared.page_markup import Content, Markup, breakable, element
from shared.page_section import none, section
from shared.page_table import Column, numbers, table, texts


def kinds(report: RequestReport) -> Markup:
    found = report.figures
    if not found.received:
        return section("kinds", "Requests by kind and month", none("No request in this period."))
    tally = found.tally(lambda count: (count.month, count.right))
    rows = [_with_sum(_short(month), [tally[month, right] for right in RIGHTS]) for month in report.period.months]
    rights = found.tally(lambda count: count.right)
    total = _with_sum("All", [rights[right] for right in RIGHTS])
    return section(
        "kinds",
        "Requests by kind and month",
        table("Requests by the month in which they came in", _by_right("Month"), rows, total=total),
        table("The same requests by where they stand today", _by_right("Status"), _statuses(found), total=total),
    )


def _by_right(name: str) -> list[Column]:
    named = [(words.RIGHTS[right], words.ARTICLES[right]) for right in RIGHTS]
    heads = [element("span", right, " ", element("small", article)) for right, article in named]
    return [*texts(name), *numbers(*heads, "All")]


def _with_sum(name: Content, cells: Sequence[int]) -> list[Content]:
    return [name, *cells, sum(cells)]


def _statuses(found: Figures) -> list[list[Content]]:
    tally = found.tally(lambda count: (count.status, count.right))
    known = list(words.STATUSES)
    codes = sorted({code for code, _ in tally}, key=lambda code: (known.index(code) if code in known else 99, code))
    return [_with_sum(words.status(code), [tally[code, right] for right in RIGHTS]) for code in codes]


def _short(month: Month) -> Content:
    return element("time", f"{month.first:%b %Y}", datetime=str(month))


def times(report: RequestReport) -> Markup:
    found = report.figures
    if found.all_days is None:
        nothing = "No request of this period has been answered yet." if found.received else "No request in this period."
        return section("times", "Time to answer", none(nothing))
    picture = element(
        "figure",
        element("figcaption", "Days from receipt to answer, by the day of receipt"),
        plot.plots(report),
        plot.legend(found),
    )
    return section("times", "Time to answer", element("p", sentences.described(found)), picture, _by_month(report))


def _by_month(report: RequestReport) -> Markup:
    found = report.figures
    months = found.tally(lambda count: (count.month, count.state))
    rows = [
        _times_row(_short(month), {state: months[month, state] for state in STATES}, found.days.get(month))
        for month in report.period.months
    ]
    return table(
        "Answers by the month of receipt; the last two columns in days",
        [*texts("Month"), *numbers("On time", "Late", "Open", "Half within", "Longest")],
        rows,
        total=_times_row("All", found.tally(lambda count: count.state), found.all_days),
    )


def _times_row(name: Content, states: Mapping[State, int], days: Days | None) -> list[Content]:
    half, longest = (days.half, days.longest) if days else (None, None)
    return [name, states["on_time"], states["late"], states["open"] + states["overdue"], half, longest]


def owed(found: Figures) -> Markup:
    if not found.open:
        return section("owed", "Open and overdue", none("Nothing is owed to anybody today."))
    rows = [_owed_row(each) for each in found.listed]
    more = found.open - len(found.listed)
    rest = f"{counted(more, 'more request')}, whose last day is later." if more else None
    return section(
        "owed",
        "Open and overdue",
        element("p", sentences.owed_today(found)),
        table(
            "Requests of which something is owed, the most urgent first",
            texts("Request", "Last day", "Left"),
            rows,
        ),
        element("p", rest, class_="note") if rest else None,
    )


def _owed_row(each: Open) -> list[Content]:
    left = words.days_left(each.days_left)
    return [
        [
            f"{words.RIGHTS[each.right]}, {words.owed(each.status)} ",
            element("code", breakable(each.subject_request_id), class_="id"),
        ],
        element("time", f"{each.due_on.day} {each.due_on:%b %Y}", datetime=each.due_on.isoformat()),
        element("strong", left, class_="alarm") if each.is_overdue else left,
    ]
