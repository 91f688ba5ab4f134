"""A report of requests for a machine: the same figures as the page, under names that stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from functions.audit_logging.reports.figures import RIGHTS, STATES, Figures
from functions.audit_logging.reports.period import Month, Period
from functions.audit_logging.reports.words import reason

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class RequestReport:
    """What happened to requests, and what is still owed."""

    controller: str
    contact: str
    period: Period
    made_at: datetime
    figures: Figures

    def as_data(self) -> dict[str, Any]:
        found = self.figures
        return {
            "format": FORMAT,
            "kind": "requests",
            "controller": {"name": self.controller, "contact": self.contact},
            "made_at": self.made_at.isoformat(),
            "since": str(self.period.since),
            "until": str(self.period.until),
            "zone": self.period.zone,
            "requests": _totals(found),
            "months": list(_months(found, self.period.months)),
            "statuses": _statuses(found),
            "answers": _answers(found),
            "owed": {
                "open": found.open,
                "overdue": found.overdue,
                "listed": [_plain(asdict(each)) for each in found.listed],
            },
            "questions": {"requests": found.asked, "waiting": found.waiting},
            "extensions": _reasons(found, "extension"),
            "refusals": _reasons(found, "refusal"),
            "erasures": {
                "verified": found.erasures,
                "rows": [asdict(each) for each in found.rows],
                "more": found.has_more_rows,
            },
            "ledger": _plain(asdict(found.ledger)),
        }


def _totals(found: Figures) -> dict[str, int]:
    states = found.tally(lambda count: count.state)
    return {
        "received": found.received,
        **{state: states[state] for state in STATES},
        "in_first_month": found.in_first_month,
        "in_three_months": found.in_three_months,
        "extended": sum(each.number for each in found.reasons if each.kind == "extension"),
        "refused": sum(each.number for each in found.reasons if each.kind == "refusal"),
    }


def _months(found: Figures, months: Sequence[Month]) -> Iterator[dict[str, Any]]:
    rights = found.tally(lambda count: (count.month, count.right))
    states = found.tally(lambda count: (count.month, count.state))
    for month in months:
        days = found.days.get(month)
        of_month = {right: rights[month, right] for right in RIGHTS}
        yield {
            "month": str(month),
            "received": sum(of_month.values()),
            "rights": of_month,
            **{state: states[month, state] for state in STATES},
            "half_within_days": days and days.half,
            "longest_days": days and days.longest,
        }


def _statuses(found: Figures) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = {right: {} for right in RIGHTS}
    for (right, status), number in found.tally(lambda count: (count.right, count.status)).items():
        told[right][status] = number
    return told


def _answers(found: Figures) -> dict[str, Any]:
    return {
        "half_within_days": found.all_days and found.all_days.half,
        "longest_days": found.all_days and found.all_days.longest,
        "by": found.unit or "answer",
        "points": [_plain(asdict(each)) for each in found.points] + [_plain(asdict(each)) for each in found.spans],
    }


def _reasons(found: Figures, kind: str) -> list[dict[str, Any]]:
    return [
        {"reason": each.code, "law": reason(each.code)[1], "requests": each.number, "told": each.told}
        for each in found.reasons
        if each.kind == kind
    ]


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    """Dates and instants in ISO 8601."""
    return {
        name: value.isoformat() if isinstance(value, date) else _plain(value) if isinstance(value, dict) else value
        for name, value in told.items()
    }
