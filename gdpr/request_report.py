"""Requests and their steps, in lines of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gdpr.columns import aligned
from gdpr.quantity import counted

Answer = Mapping[str, Any]
WIDTH = 80


def table(requests: Sequence[Answer]) -> Iterator[str]:
    """A line for each; of an open one, how many days are left."""
    if requests:
        header = ("number", "right", "status", "due on", "left")
        yield from aligned([header, *map(_row, requests)], width=WIDTH)


def _row(request: Answer) -> tuple[str, str, str, str, str | int]:
    left = request["days_left"] if request["is_open"] and request["days_left"] is not None else ""
    return (
        request["subject_request_id"],
        request["right"],
        "waiting" if request["is_waiting"] and request["is_open"] else _words(request["status"]),
        request["due_on"] or "unreadable",
        left,
    )


def step(answer: Answer) -> str:
    """How a request stands."""
    code = f" ({answer['code']})" if answer.get("code") else ""
    deadline = answer["deadline"]
    due_on = deadline["extended_statutory"] or deadline["due_statutory"]
    ended = answer["status"] not in ("in_progress", "incomplete", "failed", "blocked")
    return f"{_words(answer['status'])}{code}" + ("" if ended else f", due on {due_on}")


def left_to_do(name: str, fields: Answer, number: str) -> str | None:
    """What a step leaves to be done."""
    if name == "refuse":
        return f"The person has to be told: gdpr request notify {number} --by ROLE"
    if name == "extend" and not fields["notified_at"]:
        return f"It counts once the person has been told: again, with --at {fields['decided_at']} --notified-at TIME"
    return None


def case(found: Answer) -> Iterator[str]:
    """All of one request."""
    code = f" ({found['code']})" if found.get("code") else ""
    rows = [
        ("number", found["subject_request_id"]),
        ("in the register", found["request_id"]),
        ("right", found["right"]),
        ("status", _words(found["status"]) + code),
        ("received", _at(found["received_at"])),
        ("registered", _at(found["registered_at"])),
        ("due on", _due(found)),
    ]
    yield from aligned(rows, width=WIDTH)
    yield from _dates(found["deadline"])
    yield from _part("Questions to the person", [_question(each) for each in found["questions"]])
    yield from _part("Extension", [_extension(found["extension"])] if found["extension"] else [])
    yield from _part("Refusal", [_refusal(found["refusal"])] if found["refusal"] else [])
    yield from _part("What the person has to be told", [_notice(each) for each in found["notices"]])
    yield from _part("In the ledger", [_entry(each) for each in found["entries"]])


def _due(found: Answer) -> str:
    if not found["is_open"]:
        return str(found["due_on"])
    days = found["days_left"]
    left = f"{counted(days, 'day')} left" if days >= 0 else f"{counted(-days, 'day')} ago"
    return f"{found['due_on']}, {left}{', waiting for the person' if found['is_waiting'] else ''}"


def _dates(deadline: Answer) -> Iterator[str]:
    """By what the day was computed."""
    names = {
        "target_date": "target",
        "due_statutory": "first month ends",
        "extended_statutory": "extended to",
        "credit_days": "days of pauses",
        "calendar": "calendar",
        "zone": "zone",
        "policy": "policy",
    }
    rows = [(words, str(deadline[name])) for name, words in names.items() if deadline[name]]
    yield from _part("How it was computed", rows)


def _part(title: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"{title}:"
        yield from aligned(rows, margin="  ", width=WIDTH)


def _question(each: Answer) -> tuple[str, str]:
    answered = f"answered {_at(each['answered_at'])}" if each["answered_at"] else "not answered"
    return (f"asked {_at(each['asked_at'])}", answered)


def _extension(found: Answer) -> tuple[str, str, str]:
    told = f"told {_at(found['notified_at'])}" if found["notified_at"] else "the person has not been told"
    return (f"decided {_at(found['decided_at'])}", f"{found['reason']}, {_references(found)}", told)


def _refusal(found: Answer) -> tuple[str, str, str]:
    return (
        f"decided {_at(found['decided_at'])}",
        f"{found['reason']}, {_references(found)}",
        f"by {found['decided_by']}",
    )


def _references(found: Answer) -> str:
    return ", ".join(filter(None, (found["text_ref"], found["facts_ref"])))


def _notice(each: Answer) -> tuple[str, str, str]:
    given = f"told {_at(each['given_at'])}" if each["given_at"] else "not told"
    return (_words(each["kind"]), f"by {_at(each['due_at'])}", given)


def _entry(each: Answer) -> tuple[str, str, str]:
    index = "waiting" if each["index"] is None else str(each["index"])
    return (index, _at(each["at"]), each["kind"]) if not each.get("unreadable") else (index, "", "unreadable")


def _at(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M}Z"


def _words(code: str) -> str:
    return code.replace("_", " ")
