"""Requests in bulk: a file that was put under intake/, line by line into the register, and then gone.

    intake/<anything>.json      a list of requests
    intake/<anything>.jsonl     one on each line (.ndjson too)
    intake/<anything>.csv       one on each line; the header names fields: subject_request_id, decision.by_role, …,
                                and identity.email, identity.phone, … for what names the person

A line that is broken stops no other: the result says which it was and what is wrong with it, and never what stood
there. If we are killed, the queue hands the file over again, and what was registered stands (threat model A9, A15).
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import unquote_plus

from shared import active_plan
from shared.asked import Asked, Fault, Rejected, read
from shared.bucket import Bucket, TooLargeError
from shared.database import Database
from shared.deadlines import InstantInvalid
from shared.envelope import RIGHTS, Envelope
from shared.errors import Misuse
from shared.keys import Keys
from shared.ledger.after import sequenced
from shared.logs import log
from shared.outbox import Outbox
from shared.plan import Plan
from shared.register import register
from shared.working_days import CalendarEnds

PREFIX = "intake/"
LARGEST = 8 * 2**20  # bytes of a file: 10,000 requests have some six, and several times that in memory
MOST = 10_000  # lines of one
WRITER = "gdpr_audit"
_MOST_FAULTS = 10  # of a line, that are told
_DEEPEST = 4  # fields within fields, of a CSV's
_LONGEST_NAME = 1000  # bytes of a key that S3 takes, but for where it lies


class IntakeInvalid(Misuse):
    """The file as a whole is nothing that lines could be read from."""

    code = "intake_invalid"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One request of a file: what was made of it, or what is wrong with it."""

    number: int
    event: object = None
    faults: tuple[Fault, ...] = ()


@dataclass(kw_only=True)
class Result:
    """What became of a file: its lines as text, which is a tenth of what they are as objects."""

    lines: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    whole: Mapping[str, Any] = field(default_factory=dict)  # where the file as a whole is nothing

    def add(self, line: Mapping[str, Any]) -> None:
        self.lines.append(json.dumps(line))
        self.counts[line["status"]] += 1

    def as_json(self, earlier: Sequence[Result] = ()) -> str:
        """One line on each line."""
        parts = ['"lines": [\n' + ",\n".join(self.lines) + "\n]"]
        parts += [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in self.whole.items()]
        if earlier:
            parts.append('"earlier": [' + ",\n".join(each.as_json() for each in earlier) + "]")
        return "{" + ",\n".join(parts) + "}"


def keys_in(records: object) -> list[str]:
    """The objects that an event of the queue is about, each a notification of S3. Anything else is passed over."""
    found: list[str] = []
    for record in records if isinstance(records, list) else []:
        body = record.get("body") if isinstance(record, Mapping) else None
        try:
            told = json.loads(body) if isinstance(body, str) else {}
        except (ValueError, RecursionError):
            continue
        notes = told.get("Records") if isinstance(told, Mapping) else None
        found += [unquote_plus(key) for key in map(_key, notes if isinstance(notes, list) else []) if key]
    return found


def _key(note: object) -> str | None:
    """Of the object that S3 tells of."""
    for name in ("s3", "object", "key"):
        note = note.get(name) if isinstance(note, Mapping) else None
    return note if isinstance(note, str) and "\0" not in note else None


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Where files come in, and what takes them."""

    database: Database
    bucket: Bucket
    keys: Keys
    outbox: Outbox

    def left(self) -> list[str]:
        """Files that nobody has taken."""
        return sorted({version.key for version in self.bucket.versions(PREFIX) if not version.is_deletion})

    def take(self, key: str) -> dict[str, int] | None:
        """Register what a file holds, write what became of each line, delete it; how many of each status.

        A file that was put there twice is two files, the older first; what is put there meanwhile is the next one's.
        None where there is no such file any more: it has been taken, or its sender has deleted it.
        """
        if not key.startswith(PREFIX):
            return None
        there = [version for version in self.bucket.versions(key) if version.key == key]
        if not there or there[0].is_deletion:
            self.bucket.erase(key)
            return None
        earlier: list[Result] = []
        for version in reversed(there):
            result = None if version.is_deletion else self._taken(key, version.id or None)
            if result:
                # If we crash before this, the file is taken again and answers the same.
                self.bucket.put(result_key(key), result.as_json(earlier).encode())
                earlier.append(result)
            self.bucket.erase(key, version=version.id or None)
        return dict(sum((result.counts for result in earlier), Counter()))

    def _taken(self, key: str, version: str | None) -> Result | None:
        """What becomes of each line of a file; None where somebody else has taken it meanwhile."""
        with self.database.transaction() as cur:
            plan = active_plan.load(cur)
        result = Result()
        try:
            raw = self.bucket.get(key, version=version, most=LARGEST)
            if raw is None:
                return None
            for line in lines(key, raw):
                result.add(self._register(line, plan))
        except (IntakeInvalid, TooLargeError) as refused:
            invalid = refused if isinstance(refused, IntakeInvalid) else too_large()
            result.whole = {"status": "rejected", "code": invalid.code, "message": invalid.sentence}
        sequenced(self.database)
        return result

    def _register(self, line: Line, plan: Plan) -> dict[str, Any]:
        if line.faults:
            return _rejected(line.number, line.faults)
        given = line.event if isinstance(line.event, dict) else {}
        action = RIGHTS.get(str(given.get("subject_request_type")), "export")
        asked = Asked({"action": action, **given} if given else line.event)
        try:
            envelope = Envelope.read(asked, action=action)
            asked.check()
            with self.database.transaction() as cur:
                file = register(cur, envelope, plan=plan, keys=self.keys, writer=WRITER).file
        except Rejected as rejected:
            return _rejected(line.number, rejected.faults)
        except (CalendarEnds, InstantInvalid) as ruled:
            return _rejected(line.number, (Fault(path="/submitted_time", code=ruled.code, message=ruled.sentence),))
        except (TypeError, ValueError, LookupError, ArithmeticError):  # a mistake of ours: it stops no other line
            log("audit_logging").exception("action_broke", action="intake", code="fault")
            return {"line": line.number, "status": "failed", "code": "fault"}
        if file.status == "in_progress":
            self.outbox.put(file.action, str(file.id), {"request": str(file.id)})
        code = {"code": file.code} if file.code else {}
        number = str(file.subject_request_id)
        return {
            "line": line.number,
            "subject_request_id": number,
            "request_id": str(file.id),
            "status": file.status,
            **code,
        }


def result_key(key: str) -> str:
    """Where the result of a file lies: under its name, or, where S3 takes no name that long, under the name's hash."""
    name = key.removeprefix(PREFIX)
    return f"results/{name if len(name.encode()) <= _LONGEST_NAME else sha256(name.encode()).hexdigest()}.json"


def too_large() -> IntakeInvalid:
    return IntakeInvalid(f"The file is larger than {LARGEST // 2**20} MiB", remedy="send it in parts")


def lines(key: str, raw: bytes) -> Iterator[Line]:
    """The requests of a file, each with its number, from 1. Raises IntakeInvalid."""
    if len(raw) > LARGEST:
        raise too_large()
    kind = key.rpartition(".")[2].lower()
    readers = {"json": _of_json, "jsonl": _of_json_lines, "ndjson": _of_json_lines, "csv": _of_csv}
    if kind not in readers:
        raise IntakeInvalid("The file is none of .json, .jsonl, .ndjson and .csv", remedy="name it for what it holds")
    for count, line in enumerate(readers[kind](raw), 1):
        if count > MOST:
            raise IntakeInvalid(f"The file has more than {MOST} lines", remedy="send it in parts")
        yield line


def _of_json(raw: bytes) -> Iterator[Line]:
    try:
        found = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise IntakeInvalid("The file is no list of requests in JSON", remedy="see docs/requests.md for one")
    for number, event in enumerate(found, 1):
        yield Line(number=number, event=event)


def _once(pairs: list[tuple[str, Any]]) -> object:
    """An object with a key twice is none."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def _of_json_lines(raw: bytes) -> Iterator[Line]:
    for number, text in enumerate(io.BytesIO(raw), 1):
        if text.strip():
            try:
                yield Line(number=number, event=read(text))
            except Rejected as rejected:
                yield Line(number=number, faults=rejected.faults)


def _of_csv(raw: bytes) -> Iterator[Line]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise IntakeInvalid("The file is no text in UTF-8", remedy="save it as UTF-8") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, [])
        if not _is_header(header):
            raise IntakeInvalid("The first line does not name each field once", remedy="see docs/requests.md for one")
        for row in rows:
            if row:
                yield _row(rows.line_num, header, row)
    except csv.Error:
        raise IntakeInvalid(f"The file is no CSV at line {rows.line_num}", remedy="quote what holds commas") from None


def _is_header(names: list[str]) -> bool:
    """Each field once, and none of them within another."""
    ways = {tuple(name.split(".", _DEEPEST)) for name in names}
    within = {way[:length] for way in ways for length in range(1, len(way))}
    return bool(names) and len(ways) == len(names) and ways.isdisjoint(within)


def _row(number: int, header: list[str], row: list[str]) -> Line:
    if len(row) != len(header):
        message = f"This line has {len(row)} fields, and the first names {len(header)}."
        return Line(number=number, faults=(Fault(path="", code="wrong_width", message=message),))
    event: dict[str, Any] = {}
    identities: list[dict[str, str]] = []
    for name, value in zip(header, row, strict=True):
        if name.startswith("identity."):
            if value:
                identities.append({"identity_type": name.removeprefix("identity."), "identity_value": value})
        elif value:
            *way, last = name.split(".", _DEEPEST)
            place = event
            for step in way:
                place = place.setdefault(step, {})
            place[last] = value
    return Line(number=number, event=event | {"subject_identities": identities})


def _rejected(number: int, faults: tuple[Fault, ...]) -> dict[str, Any]:
    told = [{"path": each.path, "code": each.code, "message": each.message} for each in faults[:_MOST_FAULTS]]
    return {"line": number, "status": "rejected", "faults": told}
