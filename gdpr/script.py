"""A plan as SQL: in short for whoever reviews it, in full so that psql runs it, for nobody, and rolls it back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from psycopg2.extensions import cursor

from datamap.names import quoted
from gdpr.columns import plain
from gdpr.outline import outline
from shared.binding import POSITION
from shared.plan import Kind, Plan, Statement

HOUSEKEEPING = frozenset({"prepare", "capture", "stub"})

Costs = Mapping[str, str]  # Postgres' estimate, by statement


def script(
    plan: Plan, tables: Collection[str] = (), costs: Mapping[str, Costs] | None = None, *, full: bool = False
) -> Iterator[str]:
    """`costs` are given by kind. With `tables` only what has to do with them."""
    yield f"-- Plan {plan.digest}\n-- Map {plan.map_digest}\n-- Catalogue {plan.fingerprint}\n"
    for kind in plan.kinds:
        mine = (costs or {}).get(kind.name, {})
        if not tables:
            yield from _summary(plan, kind)
        if full and not tables:
            yield from _bound(kind)
        yield from _parts(kind, tables, mine, full=full)
        if full and not tables:
            yield "\nrollback;\n"


def _summary(plan: Plan, kind: Kind) -> Iterator[str]:
    key, names = ", ".join(kind.key), " or ".join(sorted(kind.identities))
    known = f", named by {key}{f'; without a row there by {names}' if names else ''}"
    yield _heading(f"{plain(kind.name)}: a row of {plain(kind.table)}{plain(known)}")
    yield "".join(f"-- {plain(line)}".rstrip() + "\n" for line in outline(plan, kind))


def _bound(kind: Kind) -> Iterator[str]:
    yield _heading(f"{plain(kind.name)}: Who is asked for")
    columns = ", ".join(f"{quoted(name)} {kind.binds[name]}" for name in asked_columns(kind))
    yield "begin;\nselect set_config('gdpr.today', current_date::text, true);\n\n-- Nobody, until rows are put in\n"
    yield f"create temporary table gdpr_asked (\n  {POSITION} bigint generated always as identity,\n  {columns}\n)"
    yield f" on commit drop;\n\n{kind.resolve};\n\n"
    for sentence, sql in [("A value is none of its column's type", kind.invalid), *kind.refusals]:
        if sql:
            yield f"-- refuses, above 0: {plain(sentence)}\n{sql};\n\n"


def asked_columns(kind: Kind) -> list[str]:
    """The columns by which a person is asked for: the key, then the others by name, however the plan was stored."""
    return [*kind.key, *sorted(set(kind.binds) - set(kind.key))]


def _parts(kind: Kind, tables: Collection[str], costs: Costs, *, full: bool) -> Iterator[str]:
    reads = [statement for dataset in kind.datasets for statement in dataset.reads]
    parts = [
        ("What others hang from", list(kind.reach)),
        ("What is read", [statement for statement in reads if statement.purpose != "verify"]),
        ("What an erasure does, in this order", list(kind.erase)),
        ("How it is verified", [*_gone(kind), *(statement for statement in reads if statement.purpose == "verify")]),
    ]
    if not full:
        yield from _temporary([statement for _, statements in parts for statement in statements], kind, tables)
    for title, statements in parts:
        chosen = [s for s in statements if (full or s.purpose not in HOUSEKEEPING) and _is_about(s, tables)]
        if chosen:
            yield _heading(f"{plain(kind.name)}: {title}")
            yield from (_statement(each, costs, runs=full) for each in chosen)


def _gone(kind: Kind) -> Iterator[Statement]:
    """The keys of deleted rows, as shared/gone.py binds them once the erasure has come to its end."""
    for gone in kind.gone:
        sql = f"create temporary table {gone.relation} on commit drop as\n{gone.keys}"
        yield Statement(purpose="prepare", dataset=gone.dataset, sql=sql, why="the keys of the rows that were deleted")


def _temporary(statements: Iterable[Statement], kind: Kind, tables: Collection[str]) -> Iterator[str]:
    """What the names of temporary tables stand for, where the statements that fill them are left out."""
    made = [s for s in statements if s.sql.startswith("create temporary") and _is_about(s, tables)]
    if not made:
        return
    yield _heading(f"{plain(kind.name)}: What the names in pg_temp stand for (--full shows how they are filled)")
    yield "-- gdpr_person: who is asked for, with key and identities\n"
    for statement in made:
        name = statement.sql.removeprefix("create temporary table ").split()[0]
        yield f"-- {name}: {plain(statement.dataset)}, {plain(statement.why)}\n"


def _is_about(statement: Statement, tables: Collection[str]) -> bool:
    return not tables or bool(set(statement.dataset.split(", ")) & set(tables))


def _heading(text: str) -> str:
    return f"\n-- {text} {'-' * max(3, 116 - len(text))}\n\n"


def _statement(statement: Statement, costs: Costs, *, runs: bool) -> str:
    about = " ".join(filter(None, (statement.purpose, plain(statement.dataset))))
    via = f", {plain(statement.link)}" if statement.link else ""
    cost = f"-- {costs[statement.sql]}\n" if statement.sql in costs else ""
    idle = "-- left out, since it would lock the view: " if runs and statement.purpose == "refresh" else ""
    return f"-- {about}{via}: {plain(statement.why)}\n{cost}{idle}{statement.sql};\n\n"


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


def _estimate(plan: dict[str, object]) -> str:
    scans = sorted(set(_scanned(plan)))
    scanned = f"; reads all of {', '.join(scans)}" if scans else ""
    return f"estimated cost {plan['Total Cost']}, {plan['Plan Rows']} rows{scanned}"


def _scanned(plan: dict[str, object]) -> Iterator[str]:
    """The tables that would be read from end to end."""
    if plan.get("Node Type") == "Seq Scan" and not str(plan["Relation Name"]).startswith("gdpr_"):
        yield plain(str(plan["Relation Name"]))
    below = plan.get("Plans", [])
    for each in below if isinstance(below, list) else []:
        yield from _scanned(each)
