"""Parts of a report: what took longer, what was refused, and why."""

from __future__ import annotations

from collections.abc import Sequence

from functions.audit_logging.reports import sentences, words
from functions.audit_logging.reports.figures import Figures, Reason
from functions.audit_logging.reports.words import counted, share
from shared.page_markup import Content, Markup, element
from shared.page_section import none, section
from shared.page_table import Column, numbers, table


def extensions(found: Figures) -> Markup:
    extended = [each for each in found.reasons if each.kind == "extension"]
    number = sum(each.number for each in extended)
    said = f"For {counted(number, 'request')} of this period it was decided to take longer ({_share(number, found)})."
    return section(
        "extensions",
        "Extensions and questions",
        element("p", said) if extended else none("No request of this period was extended."),
        _reasons("Extensions by reason", extended) if extended else None,
        element("p", sentences.questions(found)),
    )


def refusals(found: Figures) -> Markup:
    refused = [each for each in found.reasons if each.kind == "refusal"]
    if not refused:
        return section("refusals", "Refusals", none("No request of this period was refused."))
    number = sum(each.number for each in refused)
    said = f"{counted(number, 'request')} of this period {words.were(number)} refused ({_share(number, found)})."
    return section("refusals", "Refusals", element("p", said), _reasons("Refusals by reason", refused))


def _share(number: int, found: Figures) -> str:
    return f"{share(number, found.received)} of all"


def _reasons(caption: str, reasons: Sequence[Reason]) -> Markup:
    columns = [Column(name="Reason"), *numbers("Requests", "Person told")]
    return table(caption, columns, [[_reason(each.code), each.number, each.told] for each in reasons])


def _reason(code: str) -> Content:
    says, law = words.reason(code)
    return [says, " ", element("small", law)] if law else says
