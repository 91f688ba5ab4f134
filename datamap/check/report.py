"""Faults as a text for people, as JSON, and as SARIF 2.1.0 for whatever shows them beside the file."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from datamap.check.rules import RULES
from datamap.fault import Fault

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_WIDTH, _INDENT = 100, " " * 4
_WORD = re.compile(r"""(?:(?<![a-z])'[^']*'|"[^"]*"|`[^`]*`|\S)+""")


def text(faults: Sequence[Fault], name: str, *, notes: bool = False) -> str:
    """`file:line:column: error: sentence`, what to do about it below, and at the end how many there are. Notes would
    scroll the others away: unless they are asked for, only their number is told."""
    told = [fault for fault in faults if notes or fault.severity != "note"]
    hint = ": --notes shows them" if len(told) < len(faults) else ""
    return "\n".join([*(line for fault in told for line in _lines(fault, name)), f"{summary(faults)}{hint}"])


def _lines(fault: Fault, name: str) -> Iterator[str]:
    """The sentence is one line, however long, since editors and CI read it by lines."""
    place = f"{name}:{fault.line}:{fault.column}" if fault.line else name
    yield _shown(f"{place}: {fault.severity}: {fault.message} ({fault.code})")
    for line in (fault.remedy or "").split("\n"):
        yield from _wrapped(_shown(line)) if line else ()


def _shown(text: str) -> str:
    """A name may hold what ends a line, or colours it: such characters are shown as escapes."""
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _wrapped(line: str) -> Iterator[str]:
    """Broken between words, and nowhere within quotes: what is copied means the same. A comment goes on as one."""
    again = "-- " if line.startswith("-- ") else "  "
    words, held = _WORD.findall(line), ""
    for word in words:
        if held and len(_INDENT) + len(held) + 1 + len(word) > _WIDTH:
            yield _INDENT + held
            held = again + word
        else:
            held = f"{held} {word}" if held else word
    yield _INDENT + held


def summary(faults: Sequence[Fault]) -> str:
    """`2 errors (keep_law 1, unclassified_column 1), 3 notes (index_missing 3)`"""
    parts = []
    for severity in ("error", "warning", "note"):
        codes = Counter(fault.code for fault in faults if fault.severity == severity)
        if total := codes.total():
            listed = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
            parts.append(f"{total} {severity}{'s' if total > 1 else ''} ({listed})")
    return ", ".join(parts) or "No faults"


def as_json(faults: Sequence[Fault]) -> str:
    """A list, one object for each fault."""
    return json.dumps([_as_object(fault) for fault in faults], ensure_ascii=False, indent=2)


def _as_object(fault: Fault) -> dict[str, Any]:
    return {
        "code": fault.code,
        "severity": fault.severity,
        "message": fault.message,
        "remedy": fault.remedy,
        "where": list(fault.where),
        "line": fault.line or None,
        "column": fault.column or None,
    }


def sarif(faults: Sequence[Fault], name: str) -> str:
    """A log with one run."""
    codes = sorted({fault.code for fault in faults})
    driver = {"name": "gdpr map check", "rules": [_rule(code) for code in codes]}
    results = [_result(fault, codes.index(fault.code), name) for fault in faults]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _rule(code: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code}
    if code in RULES:
        rule["shortDescription"] = {"text": RULES[code]}
    return rule


def _uri(name: str) -> str:
    """A whole path says so; any other is meant from where the check runs."""
    path = PurePath(name)
    return path.as_uri() if path.is_absolute() else quote(name.replace("\\", "/"))


def _result(fault: Fault, number: int, name: str) -> dict[str, Any]:
    message = fault.message + (f"\n{fault.remedy}" if fault.remedy else "")
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(name)}}}
    if fault.line:
        location["physicalLocation"]["region"] = {"startLine": fault.line, "startColumn": max(1, fault.column)}
    if fault.where:
        location["logicalLocations"] = [{"fullyQualifiedName": fault.path}]
    return {
        "ruleId": fault.code,
        "ruleIndex": number,
        "level": fault.severity,
        "message": {"text": message},
        "locations": [location],
    }
