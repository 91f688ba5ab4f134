"""Reports for those who answer for it all: what happened to requests, and the record of processing activities.

Who asked for one is told to the ledger, as with every look at it (R80).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import cursor

from functions.audit_logging.reports import page, ropa_page
from functions.audit_logging.reports.data import RequestReport
from functions.audit_logging.reports.figures import figures
from functions.audit_logging.reports.period import Month, Period
from functions.audit_logging.reports.ropa import Ropa, record_of
from shared import active_plan, clock
from shared.asked import Asked
from shared.database import Database
from shared.invocation import Answer
from shared.ledger.after import sequenced
from shared.ledger.entry import Entry, append

WRITER = "gdpr_audit"
KINDS = ("requests", "ropa")
FORMATS = ("html", "json")
NOBODY = "schedule"  # who asks, where nobody is named


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Reports, as audit_logging's callers see them."""

    database: Database

    def report(self, asked: Asked) -> Answer:
        kind = asked.one_of("kind", KINDS) if asked.has("kind") else "requests"
        formats = asked.several("format", FORMATS) if asked.has("format") else ("json",)
        role = asked.code("by_role") if asked.has("by_role") else NOBODY
        if kind == "ropa":
            asked.check()
            return _answer(self.ropa(role=role), formats)
        since, until = month(asked, "since"), month(asked, "until")
        asked.check()
        return _answer(self.requests(since, until, role=role), formats)

    def requests(self, since: Month | None, until: Month | None, *, role: str) -> RequestReport:
        """What happened to requests in these months, or in the year up to this one. Raises Rejected."""
        now = clock.now()
        with self.database.transaction() as cur:
            plan = active_plan.load(cur)
            period = Period.named(since, until, zone=plan.deadlines.zone, now=now)
            found = figures(cur, period, now=now)
            _told(cur, role, "report", size=found.received, at=now)
        sequenced(self.database)
        controller = plan.map["controller"]
        return RequestReport(
            controller=controller["name"], contact=controller["contact"], period=period, made_at=now, figures=found
        )

    def ropa(self, *, role: str) -> Ropa:
        """The record of processing activities (Art. 30), by the active plan."""
        now = clock.now()
        with self.database.transaction() as cur:
            found = record_of(active_plan.load(cur), made_at=now)
            _told(cur, role, "report_ropa", size=len(found.activities), at=now)
        sequenced(self.database)
        return found


def month(asked: Asked, name: str) -> Month | None:
    """The month in a field, which may be left out."""
    text = asked.month(name) if asked.has(name) else ""
    return Month.parse(text) if text else None


def _answer(report: RequestReport | Ropa, formats: tuple[str, ...]) -> Answer:
    answer: Answer = {"status": "completed"}
    if "json" in formats:
        answer["report"] = report.as_data()
    if "html" in formats:
        answer["html"] = shown(report)
    return answer


def shown(report: RequestReport | Ropa) -> str:
    """As a page."""
    return ropa_page.shown(report) if isinstance(report, Ropa) else page.shown(report)


def _told(cur: cursor, role: str, code: str, *, size: int, at: datetime) -> None:
    said = {"role": role, "code": code, "size": size}
    append(cur, Entry(event=uuid.uuid4(), kind="ledger.queried", writer=WRITER, at=at, said=said))
