"""A plan as SQL: in short for whoever reviews it, in full so that psql runs it, for nobody, and rolls it back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from psycopg2.extensions import cursor

from datamap.names import quoted
from gdpr.columns import WIDTH, filled, plain
from gdpr.folding import folded
from gdpr.outline import outline, tables
from gdpr.quantity import counted
from shared.binding import POSITION
from shared.plan import Kind, Plan, Statement

HOUSEKEEPING = frozenset({"prepare", "capture", "stub"})

_REMARK = "-- "
_TEMPORARY = re.compile(r"pg_temp\.(gdpr_\w+)")

Costs = Mapping[str, str]  # Postgres' estimate, by statement


def script(
    plan: Plan, chosen: Collection[str] = (), costs: Mapping[str, Costs] | None = None, *, full: bool = False
) -> Iterator[str]:
    """`costs` are given by kind. With `chosen` only what has to do with these tables."""
    yield f"-- Plan {plan.digest}\n-- Map {plan.map_digest}\n-- Catalogue {plan.fingerprint}\n"
    for kind in plan.kinds:
        if chosen and not set(chosen) & set(tables(kind)):
            continue
        yield from _summary(plan, kind, chosen)
        if full and not chosen:
            yield from _bound(kind)
        yield from _parts(kind, chosen, (costs or {}).get(kind.name, {}), full=full)
        if full and not chosen:
            yield "\nrollback;\n"


def _summary(plan: Plan, kind: Kind, chosen: Collection[str]) -> Iterator[str]:
    key, names = ", ".join(kind.key), " or ".join(sorted(kind.identities))
    known = f", named by {key}{f'; without a row there by {names}' if names else ''}"
    yield _heading(f"{plain(kind.name)}: a row of {plain(kind.table)}{plain(known)}")
    for line in outline(plan, kind, chosen, width=WIDTH - len(_REMARK)):
        yield f"{_REMARK}{line}".rstrip() + "\n"


def _remark(text: str) -> str:
    return "".join(f"{line}\n" for line in filled(text, margin=_REMARK, below=f"{_REMARK}    "))


def _bound(kind: Kind) -> Iterator[str]:
    yield _heading(f"{plain(kind.name)}: Who is asked for")
    columns = ", ".join(f"{quoted(name)} {kind.binds[name]}" for name in asked_columns(kind))
    yield "begin;\nselect set_config('gdpr.today', current_date::text, true);\n\n-- Nobody, until rows are put in\n"
    yield f"create temporary table gdpr_asked (\n  {POSITION} bigint generated always as identity,\n  {columns}\n)"
    yield f" on commit drop;\n\n{folded(kind.resolve)};\n\n"
    for sentence, sql in [("A value is none of its column's type", kind.invalid), *kind.refusals]:
        if sql:
            yield f"{_remark(f'refuses, above 0: {sentence}')}{folded(sql)};\n\n"


def asked_columns(kind: Kind) -> list[str]:
    """The columns by which a person is asked for: the key, then the others by name, however the plan was stored."""
    return [*kind.key, *sorted(set(kind.binds) - set(kind.key))]


def _parts(kind: Kind, chosen: Collection[str], costs: Costs, *, full: bool) -> Iterator[str]:
    reads = [statement for dataset in kind.datasets for statement in dataset.reads]
    parts = [
        ("What others hang from", list(kind.reach)),
        ("What is read", [statement for statement in reads if statement.purpose != "verify"]),
        ("What an erasure does, in this order", list(kind.erase)),
        ("How it is verified", [*_gone(kind), *(statement for statement in reads if statement.purpose == "verify")]),
    ]
    names = {} if full else _temporary(statement for _, statements in parts for statement in statements)
    for title, statements in parts:
        shown = [s for s in statements if (full or s.purpose not in HOUSEKEEPING) and _is_about(s, chosen)]
        if shown:
            yield _heading(f"{plain(kind.name)}: {title}")
            yield from (_statement(each, costs, names, runs=full) for each in shown)


def _gone(kind: Kind) -> Iterator[Statement]:
    """The keys of deleted rows, as shared/gone.py binds them once the erasure has come to its end."""
    for gone in kind.gone:
        sql = f"create temporary table {gone.relation} on commit drop as\n{gone.keys}"
        yield Statement(purpose="prepare", dataset=gone.dataset, sql=sql, why="the keys of the rows that were deleted")


def _temporary(statements: Iterable[Statement]) -> dict[str, str]:
    """What the names of temporary tables stand for, where the statements that fill them are left out."""
    made = (s for s in statements if s.sql.startswith("create temporary"))
    found = {s.sql.removeprefix("create temporary table ").split()[0]: f"{s.dataset}, {s.why}" for s in made}
    return {"gdpr_person": "who is asked for, with key and identities"} | found


def _is_about(statement: Statement, chosen: Collection[str]) -> bool:
    return not chosen or bool(set(statement.dataset.split(", ")) & set(chosen))


def _heading(text: str) -> str:
    return f"\n-- {text} {'-' * max(3, 116 - len(text))}\n\n"


def _statement(statement: Statement, costs: Costs, names: dict[str, str], *, runs: bool) -> str:
    """With what it is for, and what those of `names` stand for that were not met before."""
    about = " ".join(filter(None, (statement.purpose, statement.dataset)))
    via = f", {statement.link}" if statement.link else ""
    told = _remark(f"{about}{via}: {statement.why}")
    told += _remark(costs[statement.sql]) if statement.sql in costs else ""
    met = dict.fromkeys(_TEMPORARY.findall(statement.sql))
    told += "".join(_remark(f"{name}: {names.pop(name)}") for name in met if name in names)
    if runs and statement.purpose == "refresh":
        return f"{told}-- left out, since it would lock the view: {statement.sql};\n\n"
    return f"{told}{folded(statement.sql)};\n\n"


def explained(cur: cursor, kind: Kind) -> Costs:
    """Postgres' estimate of every statement, with nobody bound. What it made for that is taken back."""
    from shared.gone import bind_gone
    from shared.person import bind_persons

    cur.execute("savepoint explained")
    bind_persons(cur, kind, [dict.fromkeys(kind.binds)], today=date(1970, 1, 1))
    bind_gone(cur, kind, {})
    costs = {}
    reads = [statement for dataset in kind.datasets for statement in dataset.reads]
    for statement in (*kind.reach, *reads, *kind.erase):
        if statement.purpose == "prepare":
            cur.execute(statement.sql)
        elif statement.purpose != "refresh":
            cur.execute("explain (format json) " + statement.sql)
            (found,) = cur.fetchone() or ([{}],)
            costs[statement.sql] = _estimate(found[0]["Plan"])
    cur.execute("rollback to savepoint explained")
    return costs


def _estimate(plan: dict[str, Any]) -> str:
    rows = int(plan["Plan Rows"])
    scans = sorted(set(_scanned(plan)))
    scanned = f"; reads all of {', '.join(scans)}" if scans else ""
    return f"estimated cost {plan['Total Cost']}, {counted(rows, 'row')}{scanned}"


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    """The tables that would be read from end to end."""
    if plan.get("Node Type") == "Seq Scan" and not str(plan["Relation Name"]).startswith("gdpr_"):
        yield plain(str(plan["Relation Name"]))
    for each in plan.get("Plans", []):
        yield from _scanned(each)
