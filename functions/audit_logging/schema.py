"""Schema gdpr, installed and brought up to date from inside: `gdpr db migrate` for who has no way to the database."""

from __future__ import annotations

from dataclasses import dataclass

from functions.audit_logging.administrator import Administrator
from shared import migrations
from shared.asked import Asked
from shared.invocation import Answer


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The migrations that this function brings along, and the database that lacks some of them."""

    administrator: Administrator

    def migrate(self, asked: Asked) -> Answer:
        """What was applied now, and what is pending: with `dry_run` all of it, else nothing."""
        dry_run = asked.truth("dry_run") if asked.has("dry_run") else False
        asked.check()
        with self.administrator.database() as database:
            applied = [] if dry_run else migrations.migrate(database)
            found = migrations.status(database)
        return {
            "status": "completed",
            "applied": [str(each) for each in applied],
            "pending": [str(each) for each in found.pending],
            "version": max((each.version for each in found.applied), default=0),
            "dry_run": dry_run,
        }
