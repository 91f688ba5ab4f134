"""Parts of a report: what erasures did, and how the ledger stands."""

from __future__ import annotations

from datetime import timedelta

from functions.audit_logging.reports import words
from functions.audit_logging.reports.data import RequestReport
from functions.audit_logging.reports.figures import Figures, LedgerState
from functions.audit_logging.reports.words import counted
from shared.page_markup import Content, Markup, breakable, element
from shared.page_section import facts, none, section
from shared.page_table import numbers, table, texts

_SILENT = timedelta(hours=26)  # behind which a ledger that publishes once a day has stopped


def erasures(found: Figures) -> Markup:
    number = counted(found.erasures, "erasure")
    verified = f"{number} {words.were(found.erasures)} verified as completed in this period."
    nothing = "No erasure in this period has told the ledger of any row."
    if not found.rows:
        said = f"{verified} {nothing}" if found.erasures else nothing
        return section("erasures", "Erasures by dataset", none(said))
    more = "There are more than are listed here: ask for a shorter period." if found.has_more_rows else None
    rows: list[list[Content]] = [
        [breakable(each.dataset), each.done.replace("_", " "), each.number] for each in found.rows
    ]
    columns = [*texts("Dataset", "Done"), *numbers("Rows")]
    return section(
        "erasures",
        "Erasures by dataset",
        element("p", verified),
        table("Rows by what was done with them, as the ledger has it", columns, rows),
        element("p", more, class_="note") if more else None,
    )


def ledger(report: RequestReport) -> Markup:
    found = report.figures.ledger
    told: list[tuple[Content, Content]] = [
        ("Entries in the tree", f"{found.size:,}"),
        ("Entries waiting for it", f"{found.waiting:,}"),
    ]
    if found.checkpoint:
        at = words.instant(found.checkpoint.at, report.period.zone)
        told += [
            ("Last checkpoint outside", at),
            ("What it covers", f"{found.checkpoint.size:,} of {found.size:,} entries"),
            ("Ledger", element("code", breakable(found.checkpoint.origin))),
        ]
    if found.root:
        told.append(("Root of the tree", element("code", found.root, class_="hash")))
    return section("ledger", "Ledger", element("p", _anchored(report, found)), facts(told))


def _anchored(report: RequestReport, found: LedgerState) -> Content:
    if found.checkpoint is None:
        missing = "No checkpoint lies outside yet, so nobody could notice a change: run the sweep."
        return element("strong", missing, class_="alarm")
    if report.made_at - found.checkpoint.at > _SILENT:
        old = "The last checkpoint is older than 26 hours, and there should be one a day: look at the sweep."
        return element("strong", old, class_="alarm")
    command = element("code", "gdpr ledger verify")
    return ["What the last checkpoint covers cannot be changed unseen: ", command, " reads it from outside."]
