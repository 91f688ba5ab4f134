"""What a report says in sentences, on its page and on a terminal."""

from __future__ import annotations

from functions.audit_logging.reports.figures import Figures
from functions.audit_logging.reports.words import counted


def summary(found: Figures) -> str:
    """The period, and today."""
    if not found.received:
        return f"No request came in this period. {owed_today(found)}"
    states = found.tally(lambda count: count.state)
    answered = states["on_time"] + states["late"]
    first = f"{counted(found.received, 'request')} came in, and {answered:,} of them {_have(answered)} been answered"
    second = f": {found.in_first_month:,} within the first month, {found.in_three_months:,} within three months."
    return first + (second if answered else ".") + f" {owed_today(found)}"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def owed_today(found: Figures) -> str:
    """What there is to do, whenever it came in."""
    if not found.open:
        return "Nothing is open today."
    late = f"{found.overdue:,} overdue" if found.overdue else "none is overdue"
    return f"Open today: {found.open:,}, {late}."


def described(found: Figures) -> str:
    """The days that answers took; it describes the picture of them as well."""
    if found.all_days is None:
        return "There is no answer yet."
    states = found.tally(lambda count: count.state)
    answers = counted(states["on_time"] + states["late"], "answer")
    late = "none was late" if not states["late"] else f"{states['late']:,} came late"
    half = counted(found.all_days.half, "day")
    return f"{answers}; half came within {half}, the longest took {counted(found.all_days.longest, 'day')}; {late}."


def questions(found: Figures) -> str:
    """For how many requests the person was asked something."""
    if not found.asked:
        return "Nobody was asked anything before their request could be answered."
    still = f"{found.waiting:,} of them still {'waits' if found.waiting == 1 else 'wait'}"
    waiting = still if found.waiting else "none of them still waits"
    return f"For {counted(found.asked, 'request')} the person was asked something first; {waiting} for the answer."
