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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from shared import active_plan
from shared.asked import Asked, Fault, Rejected, read
from shared.bucket import Bucket
from shared.database import Database
from shared.envelope import RIGHTS, Envelope
from shared.errors import Misuse
from shared.keys import Keys
from shared.ledger.after import sequenced
from shared.outbox import Outbox
from shared.plan import Plan
from shared.register import register

PREFIX = "intake/"
LARGEST = 32 * 2**20  # bytes of a file
MOST = 10_000  # lines of one
WRITER = "gdpr_audit"


class IntakeInvalid(Misuse):
    """The file as a whole is nothing that lines could be read from."""

    code = "intake_invalid"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One request of a file: what was made of it, or what is wrong with it."""

    number: int
    event: object = None
    faults: tuple[Fault, ...] = ()


def keys_in(records: object) -> list[str]:
    """The objects that an event of the queue is about, each a notification of S3. Anything else is passed over."""
    found: list[str] = []
    for record in records if isinstance(records, list) else []:
        body = record.get("body") if isinstance(record, Mapping) else None
        try:
            told = json.loads(body) if isinstance(body, str) else {}
        except ValueError:
            continue
        for each in (told.get("Records") or []) if isinstance(told, Mapping) else []:
            key = each.get("s3", {}).get("object", {}).get("key") if isinstance(each, Mapping) else None
            if isinstance(key, str):
                found.append(unquote_plus(key))
    return found


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

        None where there is no such file any more: it has been taken.
        """
        if not key.startswith(PREFIX):
            return None
        raw = self.bucket.get(key)
        if raw is None:
            return None
        with self.database.transaction() as cur:
            plan = active_plan.load(cur)
        result: dict[str, Any] = {"lines": []}
        try:
            for line in lines(key, raw):
                result["lines"].append(self._register(line, plan))
        except IntakeInvalid as invalid:
            result |= {"status": "rejected", "code": invalid.code, "message": invalid.sentence}
        sequenced(self.database)
        # If we crash before this, the file is taken again and answers the same.
        self.bucket.put(result_key(key), json.dumps(result, indent=1).encode())
        self.bucket.erase(key)
        return dict(Counter(line["status"] for line in result["lines"]))

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
    """Where the result of a file lies."""
    return f"results/{key.removeprefix(PREFIX)}.json"


def lines(key: str, raw: bytes) -> Iterator[Line]:
    """The requests of a file, each with its number, from 1. Raises IntakeInvalid."""
    if len(raw) > LARGEST:
        raise IntakeInvalid(f"The file is larger than {LARGEST // 2**20} MiB", remedy="send it in parts")
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
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise IntakeInvalid("The file is no list of requests in JSON", remedy="see docs/requests.md for one")
    for number, event in enumerate(found, 1):
        yield Line(number=number, event=event)


def _of_json_lines(raw: bytes) -> Iterator[Line]:
    for number, text in enumerate(raw.split(b"\n"), 1):
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
        if not header or len(set(header)) != len(header):
            raise IntakeInvalid("The first line does not name each field once", remedy="see docs/requests.md for one")
        for row in rows:
            if row:
                yield _row(rows.line_num, header, row)
    except csv.Error:
        raise IntakeInvalid(f"The file is no CSV at line {rows.line_num}", remedy="quote what holds commas") from None


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
            *way, last = name.split(".")
            place = event
            for step in way:
                place = place.setdefault(step, {})
            place[last] = value
    return Line(number=number, event=event | {"subject_identities": identities})


def _rejected(number: int, faults: tuple[Fault, ...]) -> dict[str, Any]:
    told = [{"path": each.path, "code": each.code, "message": each.message} for each in faults]
    return {"line": number, "status": "rejected", "faults": told}
