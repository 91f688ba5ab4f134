"""Faults as a text for people, as JSON, and as SARIF 2.1.0 for whatever shows them beside the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from datamap.check.rules import RULES
from datamap.fault import Fault

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def text(faults: Sequence[Fault], name: str) -> str:
    """`file:line:column: error: sentence`, what to do about it below, and at the end how many there are."""
    return "\n".join([*(line for fault in faults for line in _lines(fault, name)), summary(faults)])


def _lines(fault: Fault, name: str) -> Iterator[str]:
    place = f"{name}:{fault.line}:{fault.column}" if fault.line else name
    yield f"{place}: {fault.severity}: {fault.message} ({fault.code})"
    for line in (fault.remedy or "").splitlines():
        yield f"    {line}"


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


def _result(fault: Fault, number: int, name: str) -> dict[str, Any]:
    message = fault.message + (f"\n{fault.remedy}" if fault.remedy else "")
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": quote(name.replace("\\", "/"))}}}
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
