"""What values look like, whoever's they are: e-mail addresses, numbers of telephones, UUIDs, JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

_EMAIL = re.compile(r"[^@\s\"<>,;]{1,64}@[^@\s\"<>,;]+\.[^@\s\"<>,;.]{2,}")
_PHONE = re.compile(r"(?=(?:\D*\d){7,15}\D*$)\+?[\d\s()./-]{7,24}")
_OF_A_YEAR = re.compile(r"(?:19|20)\d\d[-/.]0\d*")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INTEGER = re.compile(r"-?\d{1,19}")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?|(?=.*:.*:)[0-9a-fA-F:]{3,39}(?:/\d+)?")
_WORDLIKE = re.compile(r"[A-Za-z][\w.\\:/ -]{0,79}")
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}]+)')


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """And not `2025-00002`, the second document of a year."""
    if _OF_A_YEAR.fullmatch(text):
        return False
    return _PHONE.fullmatch(text) is not None and ("+" in text or not text.isdecimal() or text.startswith("0"))


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def is_integer(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Of the Internet."""
    return _ADDRESS.fullmatch(text) is not None


def is_wordlike(text: str) -> bool:
    return _WORDLIKE.fullmatch(text) is not None


def share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    return sum(map(test, values)) / len(values) if values else 0.0


def are_distinctive(values: Iterable[str]) -> bool:
    """Whether it can be no accident that they stand in two columns, as it can be with small numbers."""
    seen = [value for value in set(values) if value]
    telling = [value for value in seen if not is_integer(value) and len(value) >= 6]
    large = [value for value in seen if is_integer(value) and len(value.lstrip("-")) >= 9]
    return bool(seen) and len(telling) + len(large) >= 0.9 * len(seen)


def document(text: str) -> Any:
    """A JSON object or array, or None."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def elements(text: str) -> list[str]:
    """Those of an array as Postgres writes it, without nulls."""
    inner = text[text.index("{") :] if "{" in text else ""
    found = [
        quoted.replace('\\"', '"').replace("\\\\", "\\") if quoted or not plain else plain
        for quoted, plain in _ELEMENT.findall(inner)
    ]
    return [each for each in found if each and each != "NULL"]
