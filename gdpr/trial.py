"""A plan tried on one person: what would be found, what an erasure would do, and what would stop it.

All of it happens in a transaction that whoever calls rolls back. Without `erasing` no row is locked and no table of the
application is written: the rows are found as an erasure finds them, into temporary tables, and then the transaction is
made read-only. What is told are tables, links and numbers, and nothing that stands in a row.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from psycopg2 import sql
from psycopg2.extensions import cursor

from gdpr.acting import acting
from gdpr.hanging import remedy
from gdpr.outline import by_hand, ways
from gdpr.outline import tables as all_tables
from gdpr.person import key_of
from shared.errors import Refused, StoreBusy, UnfitValue
from shared.gone import bind_gone, read_gone
from shared.person import bind_persons
from shared.plan import Kind, Plan, Statement

LOCK = "\nfor update of t"
PATIENCE = "200ms"  # for a lock that somebody else has; ours are gone with the transaction
ACTS = ("deleted", "stub", "kept", "changed", "unlinked")
_FLAGS = """
select
  count(*) filter (where r.gdpr_dies),
  count(*) filter (where r.gdpr_stub),
  count(*) filter (where r.gdpr_owned and r.gdpr_by_table and not r.gdpr_dies and not r.gdpr_stub),
  count(*) filter (where r.gdpr_owned and not r.gdpr_by_table and not r.gdpr_dies and not r.gdpr_stub),
  count(*) filter (where not r.gdpr_owned)
from {} as r
"""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a person has to do with one table."""

    table: str
    theirs: int  # rows that belong to them
    links: Mapping[str, int]  # rows by the link that found them, those that they merely acted on as well
    erasure: Mapping[str, int]  # rows by what becomes of them: ACTS

    @property
    def is_there(self) -> bool:
        return self.theirs > 0 or any(self.links.values())


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A guard that counted something."""

    table: str
    rows: int
    rule: int  # of docs/ownership.md
    why: str
    remedy: str
    is_late: bool = False  # once all was changed


@dataclass(frozen=True, kw_only=True)
class Trial:
    """All that is told of one person."""

    kind: str
    role: str  # that it ran as
    session: str  # who connected
    has_key: bool  # they were named by an identity, and are tried by their key
    unseen: tuple[str, ...]  # of the map, where nobody looked
    by_hand: tuple[str, ...]  # what is left to somebody
    tables: tuple[Found, ...]
    stops: tuple[Stop, ...]
    was_erased: bool  # the statements ran, before all was rolled back
    left: Mapping[str, int]  # after that: what verification would still find, by table and link
    short: Mapping[str, int]  # after that: rows that should have been deleted or changed, and were not

    @property
    def is_clean(self) -> bool:
        return not (self.stops or self.left or self.short)


@dataclass
class _Session:
    """Statements, all of which together have so many seconds."""

    cur: cursor
    seconds: float
    started: float = field(default_factory=time.monotonic)

    def run(self, statement: str | sql.Composed) -> int:
        """How many rows it touched, or gave."""
        left = self.seconds - (time.monotonic() - self.started)
        if left <= 0:
            raise StoreBusy("It took too long", remedy="give it longer with --timeout")
        self.cur.execute(f"set local statement_timeout = {max(1, int(left * 1000))}")
        self.cur.execute(statement)
        return self.cur.rowcount

    def answer(self, statement: str | sql.Composed) -> tuple[int, ...]:
        """The one row that it gives."""
        self.run(statement)
        return tuple(self.cur.fetchone() or (0,))


def tried(
    cur: cursor,
    plan: Plan,
    kind: Kind,
    person: Mapping[str, str],
    *,
    today: date,
    seconds: float,
    erasing: bool = False,
) -> Trial:
    """Try it in this transaction, which is to be rolled back."""
    session = _Session(cur, seconds)
    session.run(f"set local lock_timeout = '{PATIENCE}'")
    role, has_key = acting(cur), _bound(cur, plan, kind, person, today)
    for statement in kind.reach:
        session.run(statement.sql)
    links = _captured(session, kind, locking=erasing)
    if not erasing:
        session.run("set transaction read only")  # not before: CREATE TEMPORARY TABLE counts as writing
    tables = tuple(_found(session, plan, kind, links))
    if not any(found.is_there for found in tables):
        raise Refused("The plan finds no row of such a person", remedy="check the key or the identity")
    stops = tuple(_stops(session, plan, kind, "guard"))
    short: dict[str, int] = {}
    if erasing and not stops:
        short = _changed(session, kind, tables, "change")
        stops = tuple(_stops(session, plan, kind, "recheck"))
    was_erased = erasing and not stops
    if was_erased:
        short |= _changed(session, kind, tables, "delete")
        session.run("set constraints all immediate")
    return Trial(
        kind=kind.name,
        role=role,
        session=_connected(cur),
        has_key=has_key,
        unseen=tuple(_unseen(plan)),
        by_hand=tuple(by_hand(plan)),
        tables=tables,
        stops=stops,
        was_erased=was_erased,
        left=_left(session, kind) if was_erased else {},
        short=short,
    )


def _bound(cur: cursor, plan: Plan, kind: Kind, person: Mapping[str, str], today: date) -> bool:
    """Whether they were named by an identity and have a key, by which they are bound then."""
    cur.execute("savepoint named")
    try:
        bind_persons(cur, kind, [person], today=today)
    except UnfitValue as fault:
        if fault.what not in dict(kind.refusals):
            raise
        if set(kind.key) <= set(person) or fault.what != kind.refusals[-1][0]:
            raise Refused(fault.what, remedy="try another person (docs/ownership.md, rule 13)") from None
        key = key_of(cur, plan, kind)
    else:
        cur.execute("release savepoint named")
        return False
    cur.execute("rollback to savepoint named")
    return not _bound(cur, plan, kind, key, today)


def _connected(cur: cursor) -> str:
    cur.execute("select session_user")
    (name,) = cur.fetchone() or ("?",)
    return str(name)


def _unseen(plan: Plan) -> Iterator[str]:
    """What the map names outside of the database."""
    for part in ("cache", "objects"):
        entries = [each for each in plan.map.get(part, {}).values() if isinstance(each, Mapping)]
        if any(each.get("personal", True) for each in entries):
            yield part


def _captured(session: _Session, kind: Kind, *, locking: bool) -> dict[str, list[int]]:
    """Find the rows that an erasure touches; for each table how many each of its captures found."""
    found: dict[str, list[int]] = {}
    for statement in kind.erase:
        if statement.purpose in ("prepare", "capture", "stub"):
            number = session.run(statement.sql if locking else statement.sql.removesuffix(LOCK))
            if statement.purpose == "capture":
                found.setdefault(statement.dataset, []).append(number)
    return found


def _found(session: _Session, plan: Plan, kind: Kind, captured: Mapping[str, list[int]]) -> Iterator[Found]:
    """For every table of the plan; those as well that no erasure touches."""
    counts = {d.name: s.sql for d in kind.datasets for s in d.reads if s.purpose == "count"}
    for table in all_tables(kind):
        links = [way.by for way in ways(plan, kind, table)]
        yield Found(
            table=table,
            theirs=session.answer(counts[table])[0] if table in counts else 0,
            links=dict(zip(links, captured[table], strict=True)) if table in captured else {},
            erasure=_outcome(session, plan, kind, table) if table in kind.rows else {},
        )


def _outcome(session: _Session, plan: Plan, kind: Kind, table: str) -> dict[str, int]:
    """Rows by what becomes of them."""
    dies, stub, by_table, by_link, others = session.answer(
        sql.SQL(_FLAGS).format(sql.Identifier("pg_temp", kind.rows[table]))
    )
    action = next((dataset.action for dataset in kind.datasets if dataset.name == table), "")
    of_links = {way.does for way in ways(plan, kind, table) if way.is_theirs}
    outcome = dict.fromkeys(ACTS, 0) | {"deleted": dies, "stub": stub, "unlinked": others}
    outcome[{"keep": "kept", "unlink": "unlinked"}.get(action, "changed")] += by_table
    outcome["unlinked" if of_links == {"unlinks"} else "changed"] += by_link
    return outcome


def _stops(session: _Session, plan: Plan, kind: Kind, purpose: str) -> Iterator[Stop]:
    for statement in kind.erase:
        if statement.purpose == purpose:
            session.run(statement.sql)
            for table, rows in session.cur.fetchall():
                if rows:
                    yield _stop(session.cur, plan, kind, statement, table=table, rows=rows)


def _stop(cur: cursor, plan: Plan, kind: Kind, guard: Statement, *, table: str, rows: int) -> Stop:
    if guard.link is None:
        rule, why = 13, guard.why
        write = (
            f"say at {table} what happens to a row by each of its links (links: {{…: {{erase: …}}}}), or shared: true"
        )
    elif guard.purpose == "recheck":
        rule, why = 14, f"{guard.why}, by {guard.link}, once all is changed"
        write = f"look at the triggers and rules of {table}, or set {guard.link} to what is there after the erasure"
    else:
        rule, why = 14, f"{guard.why}, by {guard.link}"
        write = remedy(cur, plan, kind, guard)
    return Stop(table=table, rows=rows, rule=rule, why=why, remedy=write, is_late=guard.purpose == "recheck")


def _changed(session: _Session, kind: Kind, tables: tuple[Found, ...], purpose: str) -> dict[str, int]:
    """Run that part of the erasure; where a statement did less than it should have, by how many rows."""
    planned = {found.table: found.erasure for found in tables}
    short = {}
    for statement in kind.erase:
        if statement.purpose == purpose:
            names = statement.dataset.split(", ")
            wanted = sum(_of(planned[name], purpose) for name in names)
            done = session.run(statement.sql) if len(names) == 1 else session.answer(statement.sql)[0]
            if done != wanted:
                short[f"{purpose} {statement.dataset}"] = wanted - done
    return short


def _of(outcome: Mapping[str, int], purpose: str) -> int:
    dies = outcome["deleted"]
    return dies if purpose == "delete" else sum(outcome.values()) - dies


def _left(session: _Session, kind: Kind) -> dict[str, int]:
    bind_gone(session.cur, kind, read_gone(session.cur, kind))
    left = {}
    here = (dataset for dataset in kind.datasets if dataset.action != "refresh")  # a view still shows what was there
    for statement in (s for dataset in here for s in dataset.reads if s.purpose == "verify"):
        if rows := session.answer(statement.sql)[0]:
            left[", ".join(filter(None, (statement.dataset, statement.link)))] = rows
    return left
