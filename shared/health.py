"""Whether a function could do its work now: each store asked once, as the role that will ask it for people's data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared import migrations
from shared.errors import SchemaOutdated, SuiteError
from shared.unit import DataUnit

if TYPE_CHECKING:
    from shared.cache import Cache


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was looked at, and what is wrong with it, if anything."""

    name: str
    fault: SuiteError | None = None


def check(unit: DataUnit) -> list[Check]:
    """Every check, whether or not one before it failed."""
    checks = [_checked("database", lambda: _schema_is_current(unit))]
    if (cache := unit.cache) is not None:
        checks.append(_checked("cache", lambda: _answers(cache)))
    return checks


def answer(unit: DataUnit) -> dict[str, Any]:
    """The answer to the action `health`: a store that is down is what it is asked for, and so no error."""
    checks = check(unit)
    return {
        "status": "failed" if any(each.fault for each in checks) else "completed",
        "checks": [
            {"name": each.name, "ok": each.fault is None}
            | ({"code": each.fault.code, "message": each.fault.sentence} if each.fault else {})
            for each in checks
        ],
    }


def _checked(name: str, look: Callable[[], None]) -> Check:
    try:
        look()
    except SuiteError as fault:
        return Check(name=name, fault=fault)
    return Check(name=name)


def _schema_is_current(unit: DataUnit) -> None:
    if migrations.status(unit.database).pending:
        raise SchemaOutdated(
            "Schema gdpr is missing or older than this function", where=unit.database.where, remedy="gdpr db migrate"
        )


def _answers(cache: Cache) -> None:
    from shared.cache import translated

    with translated(cache.where):
        cache.client().ping()
