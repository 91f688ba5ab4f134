"""A report of requests as a page: to be handed on as it is, read on a phone or printed."""

from __future__ import annotations

from datetime import timedelta

from functions.audit_logging.reports import sentences, words
from functions.audit_logging.reports.data import RequestReport
from functions.audit_logging.reports.figures import Figures
from functions.audit_logging.reports.page_decisions import extensions, refusals
from functions.audit_logging.reports.page_ledger import erasures, ledger
from functions.audit_logging.reports.page_requests import kinds, owed, times
from functions.audit_logging.reports.words import counted, day, share
from shared.page import page
from shared.page_markup import Markup, element
from shared.page_section import section

TITLE = "Requests about personal data"


def shown(report: RequestReport) -> str:
    """The page."""
    return page(
        _header(report),
        _glance(report.figures),
        kinds(report),
        times(report),
        owed(report.figures),
        extensions(report.figures),
        refusals(report.figures),
        erasures(report.figures),
        ledger(report),
        _counting(report),
        title=f"{TITLE}, {report.period.words}: {report.controller}",
    )


def _header(report: RequestReport) -> Markup:
    made = words.instant(report.made_at, report.period.zone)
    return element(
        "header",
        element("p", report.controller, class_="whose"),
        element("h1", TITLE),
        element("p", report.period.words, class_="lead"),
        element("p", f"As of {made} ({report.period.zone}). Numbers, dates and ids: nobody is named.", class_="note"),
    )


def _glance(found: Figures) -> Markup:
    states = found.tally(lambda count: count.state)
    answered = states["on_time"] + states["late"]
    on_time = f"{states['on_time']:,} of {counted(answered, 'answer')}" if answered else "no answer yet"
    tiles = [
        _tile("Received", f"{found.received:,}", "in this period"),
        _tile("On time", share(states["on_time"], answered), on_time),
        _tile("Open", f"{found.open:,}", "as of today"),
        _tile("Overdue", f"{found.overdue:,}", "of the open ones", is_alarm=found.overdue > 0),
    ]
    said = sentences.summary(found)
    return section("glance", "At a glance", element("dl", tiles, class_="tiles"), element("p", said))


def _tile(name: str, value: str, more: str, *, is_alarm: bool = False) -> Markup:
    said = element("dd", element("b", value), element("small", more))
    return element("div", element("dt", name), said, class_="alarm" if is_alarm else None)


def _counting(report: RequestReport) -> Markup:
    period = f"{day(report.period.since.first)} to {day(report.period.until.plus(1).first - timedelta(days=1))}"
    rules = [
        f"A request belongs to the day on which it was received, in {report.period.zone}. This period is {period}.",
        "It is answered once it is completed or withdrawn, or once the person has been told that it is refused or that "
        "nobody knows who they are. Until then it is open.",
        "It is answered on time within the last day that Art. 12(3) allows: one month, the days of pauses, and, if the "
        "person was told in time that it takes longer, three months. A refusal has the first month only.",
        "Half within: the number of days within which at least half of the answers came.",
        f"Open and overdue requests are those of today, whenever they came in. Questions: {report.contact}.",
    ]
    return section("counting", "How this is counted", element("ul", [element("li", rule) for rule in rules]))
