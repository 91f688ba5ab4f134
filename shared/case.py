"""What is known of a request's course, and the deadline that follows from it (GDPR Art. 12(3)): pure code.

    by = plan.deadlines
    case = Case(received_at=…, zone=by.zone, calendar=by.calendar, policy=policy(by.policy))
    case.deadline.due_at                          # the first instant that is too late
    case = case.asked(at).answered(later)         # a pause
    case = case.extended(at, reason="complexity", text_ref="letter-17").notified(later)

A case holds facts, to which others are added and none is ever changed; the deadline is computed from all of them, each
time. No fact that comes after the end of the deadline moves it: what was overdue stays so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from shared import reasons
from shared.deadlines import Deadline, check_follows, end_of_day, local_day, plus_months
from shared.errors import Misuse, Refused
from shared.policy import Policy
from shared.working_days import Calendar


class NothingAsked(Misuse):
    code = "nothing_asked"


class NothingExtended(Misuse):
    code = "nothing_extended"


class ExtensionIncomplete(Misuse):
    code = "extension_incomplete"


class ExtensionTwice(Refused):
    code = "extension_twice"


class ExtensionTooLate(Refused):
    code = "extension_too_late"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the person was asked, since without the answer nobody can go on. Open until it is answered sufficiently."""

    asked_at: datetime
    answered_at: datetime | None = None

    def answered(self, at: datetime) -> Question:
        """Unless it has been: no answer is ever changed."""
        if self.answered_at:
            return self
        check_follows(at, self.asked_at, "an answer follows its question")
        return replace(self, answered_at=at)


@dataclass(frozen=True, kw_only=True)
class Extension:
    """That it takes longer, and why. It counts from when the person has been told."""

    decided_at: datetime
    reason: str
    text_ref: str  # of the notice, whose text is in no record
    facts_ref: str | None = None
    notified_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """The facts that a deadline follows from."""

    received_at: datetime
    zone: str
    calendar: Calendar | None
    policy: Policy
    questions: tuple[Question, ...] = ()
    extension: Extension | None = None

    @property
    def received_on(self) -> date:
        return local_day(self.received_at, self.zone)

    @property
    def is_waiting(self) -> bool:
        """For an answer of the person."""
        return any(question.answered_at is None for question in self.questions)

    @cached_property
    def deadline(self) -> Deadline:
        """Raises CalendarEnds, ZoneUnknown, InstantInvalid."""
        received, rules = self.received_on, self.policy
        nominal = plus_months(received, rules.months)
        credit = self._credit(nominal)
        due = nominal + timedelta(days=credit)
        first = Deadline(
            received_on=received,
            target_date=min(nominal, received + timedelta(days=rules.target_days)) + timedelta(days=credit),
            due_nominal=due,
            due_statutory=self._rolled(due),
            credit_days=credit,
            due_at=self._end(due),
            calendar=self.calendar.name if self.calendar else None,
            zone=self.zone,
            policy=rules.name,
        )
        if not self.extension or not self.extension.notified_at or first.is_overdue(self.extension.notified_at):
            return first
        return self._extended(first, nominal)

    def _extended(self, first: Deadline, nominal: date) -> Deadline:
        """Three months from receipt, and no pause makes them longer; nor does an extension make anything shorter."""
        rules = self.policy
        latest = plus_months(first.received_on, rules.extended_months)
        earliest = min(latest, plus_months(nominal, rules.extended_months - rules.months))
        due = max(latest, first.due_nominal)
        return replace(
            first,
            extended_target=max(earliest, first.target_date),
            extended_nominal=due,
            extended_statutory=self._rolled(due),
            due_at=self._end(due),
        )

    def _credit(self, nominal: date) -> int:
        """The days on which the request waited for the person; each once, and only for what was asked soon enough."""
        reached, credit = self.received_on, 0
        if self.policy.pauses == "off":
            return 0
        for question in sorted(self.questions, key=lambda each: each.asked_at):
            if question.answered_at is None or question.answered_at >= self._end(nominal + timedelta(days=credit)):
                continue
            asked, answered = (local_day(at, self.zone) for at in (question.asked_at, question.answered_at))
            if (asked - reached).days <= self.policy.max_ask_days:
                credit += max(0, (answered - max(asked, reached)).days)
                reached = max(reached, answered)
        return credit

    def _rolled(self, day: date) -> date:
        return self.calendar.rolled(day) if self.calendar else day

    def _end(self, day: date) -> datetime:
        return end_of_day(self._rolled(day), self.zone)

    def is_idle(self, *, since: datetime, now: datetime) -> bool:
        """Whether nothing has happened for more days than the policy allows, though nobody waits for the person."""
        days = (local_day(now, self.zone) - local_day(since, self.zone)).days
        return not self.is_waiting and days > self.policy.idle_days

    def must_be_closed(self, now: datetime) -> bool:
        """Whether the last day has come with a question still open: it is refused then (identity_not_proven), and the
        person told so, but never left lying."""
        last = self.deadline.extended_nominal or self.deadline.due_nominal
        return self.is_waiting and local_day(now, self.zone) >= last

    def asked(self, at: datetime) -> Case:
        """With a question to the person, who cannot be helped without the answer."""
        check_follows(at, self.received_at, "a question follows the receipt of the request")
        return replace(self, questions=(*self.questions, Question(asked_at=at)))

    def answered(self, at: datetime) -> Case:
        """With a sufficient answer to all that has been asked."""
        if not self.is_waiting:
            raise NothingAsked("No question to the person is open", remedy="record the question first, by a pause")
        return replace(self, questions=tuple(question.answered(at) for question in self.questions))

    def extended(self, at: datetime, *, reason: str, text_ref: str, facts_ref: str | None = None) -> Case:
        """With the decision to take longer, of which the person has to be told before the end of the first month."""
        if self.extension:
            raise ExtensionTwice(
                "This request has been extended before, which is possible once",
                remedy=f"answer or refuse it by {self.deadline.due_on}",
            )
        check_follows(at, self.received_at, "an extension follows the receipt of the request")
        self._check_in_time(at)
        found = reasons.to_extend(reason, facts_ref=facts_ref)
        if not text_ref.strip():
            raise ExtensionIncomplete(
                "The person has to be told of an extension, with its reason",
                remedy="give text_ref, the reference of the notice",
            )
        return replace(
            self, extension=Extension(decided_at=at, reason=found.code, text_ref=text_ref, facts_ref=facts_ref)
        )

    def notified(self, at: datetime) -> Case:
        """With the person told of the extension, from which on it counts."""
        if self.extension is None:
            raise NothingExtended("This request has not been extended", remedy="extend it first, with a reason")
        if self.extension.notified_at:
            raise ExtensionTwice("The person has been told of this extension before", remedy="there is nothing to do")
        check_follows(at, self.extension.decided_at, "the notice of an extension follows the decision")
        self._check_in_time(at)
        return replace(self, extension=replace(self.extension, notified_at=at))

    def _check_in_time(self, at: datetime) -> None:
        if self.deadline.is_overdue(at):
            raise ExtensionTooLate(
                f"People have to be told of an extension by the end of {self.deadline.due_statutory}, {self.zone}",
                remedy="answer or refuse this request now: it is overdue",
            )
