"""An approval where the database cannot be reached: a plan in a file, which `activate` takes by its digest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import Misuse

if TYPE_CHECKING:
    from datamap.fault import Fault
    from shared.plan import Plan


def check_options(catalogue: Path | None, output: Path | None, *, dry_run: bool, database_named: bool) -> None:
    """Raises Misuse where the flags say two things."""
    if output and catalogue is None:
        remedy = "pass --catalogue as well, with what `gdpr map catalogue` or the action `catalogue` wrote"
        raise Misuse("--output is for where the database cannot be reached", remedy=remedy)
    if catalogue and output is None and not dry_run:
        raise Misuse(
            "--catalogue alone stores no plan", remedy="pass --output as well, for the file that `activate` takes"
        )
    if catalogue and database_named:
        raise Misuse("--catalogue and --database-url are two databases", remedy="choose one of them")


def compiled(data_map: Path, catalogue_file: Path) -> tuple[Plan | None, Sequence[Fault]]:
    """The plan, and what the check found; no plan where that is an error."""
    from datamap.check.check import checked
    from datamap.compile.plan import compiled as compile_plan
    from gdpr.map import facts
    from gdpr.map_file import read_map

    document = read_map(data_map)
    with facts(None, catalogue_file) as (catalogue, _):
        faults = checked(document, catalogue)
        if any(fault.severity == "error" for fault in faults):
            return None, faults
        return compile_plan(document.map, catalogue), faults


def write(plan: Plan, output: Path) -> None:
    """Byte for byte what is hashed: sha256sum says the digest."""
    try:
        output.write_bytes(plan.as_json())
    except OSError as error:
        remedy = "name a folder that is there, and may be written to"
        raise Misuse(f"{output} cannot be written ({type(error).__name__})", remedy=remedy) from None


def as_json(plan: Plan, *, dry_run: bool) -> str:
    from gdpr.approval import as_plan_data

    told: dict[str, Any] = {**as_plan_data(plan), "dry_run": dry_run}
    return json.dumps(told, ensure_ascii=False)


def next_steps(plan: Plan, output: Path) -> str:
    """What is left to do, for whoever has no way to the database."""
    return (
        f"Nothing goes by it yet. Put {output} under plans/{plan.digest}.json in the exchange bucket,\n"
        "and let the officer invoke audit_logging:officer with "
        f'{{"action": "activate", "digest": "{plan.digest}", "by_role": "…", "dry_run": true}}, then without dry_run.'
    )
