"""A plan that was compiled elsewhere becomes what the functions go by: `gdpr map approve` for who has no socket.

The plan lies in the exchange bucket, where others may write as well. What the officer approves is its digest: another
plan under its name has another, and is refused.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from functions.audit_logging.administrator import Administrator
from shared import active_plan, clock
from shared.approval import Approval, tables_changed
from shared.asked import Asked
from shared.bucket import Bucket, TooLargeError
from shared.catalogue import document
from shared.database import Database
from shared.errors import CatalogueDrift, Misuse, Refused
from shared.invocation import Answer
from shared.ledger.after import sequenced
from shared.ledger.entry import Entry, append
from shared.plan import Plan
from shared.queries import query

PREFIX = "plans/"
LARGEST = 8 * 2**20  # bytes of a plan, eight times that in memory; one for 400 tables in circles has 2.6 million
WRITER = "gdpr_audit"


class PlanNotThere(Misuse):
    code = "plan_not_there"


class PlanUnfit(Refused):
    """What lies there is not the plan of this digest."""

    code = "plan_unfit"


@dataclass(frozen=True, kw_only=True)
class Activation:
    """The plans that wait, and the database that is to go by one of them."""

    database: Database
    administrator: Administrator
    plans: Bucket

    def activate(self, asked: Asked) -> Answer:
        digest, role = asked.digest("digest"), asked.code("by_role")
        dry_run = asked.truth("dry_run") if asked.has("dry_run") else False
        asked.check()
        plan = self._plan(digest)
        with self.administrator.database() as admin:
            try:
                done = self._tried(admin, plan) if dry_run else self._activated(admin, plan, role)
            except CatalogueDrift as drift:
                remedy = "take its catalogue again (`catalogue`), and approve the map with that"
                raise CatalogueDrift(drift.what, where=self.database.where, remedy=remedy) from None
        is_other = done.before is not None and done.before.digest != digest
        changes = tables_changed(done.before, plan) if done.before and is_other else []
        return {"status": "completed", **done.as_data(), "changes": changes, "dry_run": dry_run}

    def _plan(self, digest: str) -> Plan:
        key = f"{PREFIX}{digest}.json"
        where = f"{self.plans.where}/{key}"
        try:
            raw = self.plans.get(key, most=LARGEST)
            if raw is None:
                remedy = "put the file there that `gdpr map approve --catalogue … --output …` wrote"
                raise PlanNotThere("There is no plan of this digest", where=where, remedy=remedy)
            plan = Plan.from_json(raw)
        except (TooLargeError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
            remedy = "compile it with the version of the suite that the functions have"
            raise PlanUnfit("What lies there is no plan that can be read", where=where, remedy=remedy) from None
        if plan.digest != digest:
            remedy = "see who put it there, and put yours in its place"
            raise PlanUnfit("What lies there is another plan than the one of this digest", where=where, remedy=remedy)
        return plan

    def _activated(self, admin: Database, plan: Plan, role: str) -> Approval:
        """At every moment the roles may do what the plan in use needs; run again, it ends what a crash left undone."""
        with admin.transaction() as cur:
            rights = active_plan.application_rights(cur)
            active_plan.let_at(cur, plan)
        # If we crash here, the roles may do more than the plan in use needs.
        with self.database.transaction() as cur:
            before = active_plan.load_if_any(cur)
            active_plan.activate(cur, plan, document(cur))
            append(cur, _entry(plan, before, role))
        sequenced(self.database)
        # If we crash here, they may still do what only the plan before needed.
        with admin.transaction() as cur:
            cur.execute(query("lock_migrations"))  # of two activations at once, the later goes by what stands then
            active_plan.keep_from_others(cur, self._in_use() or plan)
            now = active_plan.application_rights(cur)
        return Approval(plan=plan, digest=plan.digest, before=before, granted=now - rights, revoked=rights - now)

    def _tried(self, admin: Database, plan: Plan) -> Approval:
        """What would change."""
        before = self._in_use()
        with admin.transaction() as cur:
            rights = active_plan.application_rights(cur)
            active_plan.let_at(cur, plan)
            active_plan.keep_from_others(cur, plan)
            now = active_plan.application_rights(cur)
            cur.connection.rollback()
        return Approval(plan=plan, digest=plan.digest, before=before, granted=now - rights, revoked=rights - now)

    def _in_use(self) -> Plan | None:
        with self.database.transaction() as cur:
            return active_plan.load_if_any(cur)


def _entry(plan: Plan, before: Plan | None, role: str) -> Entry:
    versions = {"map": plan.map_digest, **({"before": before.digest} if before else {})}
    said = {"role": role, "digest": plan.digest, "versions": versions}
    return Entry(event=uuid.uuid4(), kind="map.activated", writer=WRITER, at=clock.now(), said=said)
