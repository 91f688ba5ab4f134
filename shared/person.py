"""Who a plan's statements are about: persons bound as pg_temp.gdpr_person, for the rest of the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from psycopg2.extensions import cursor

from shared.binding import Value, bind
from shared.errors import UnfitValue
from shared.plan import Kind
from shared.row_security import let_policies_work


def bind_persons(cur: cursor, kind: Kind, persons: Iterable[Mapping[str, Value]], *, today: date) -> int:
    """Bind persons by their keys, and whoever has none by identity: `{"id": 4}`, `{"email": "lena@example.org"}`.

    The columns are those of `kind.binds`. A person with a row in the subject's table is looked up there: its other
    keys and identities come along. `today` decides which terms have ended. Where a policy may hide rows of the plan's
    tables from this role, nobody is bound.
    """
    let_policies_work(cur, kind.read)
    rows = [[person.get(column) for column in kind.binds] for person in persons]
    count = bind(cur, "gdpr_asked", kind.binds, rows)
    if kind.invalid is not None and _counted(cur, kind.invalid):
        raise UnfitValue("A value of a key or an identity is none of its column's type")
    cur.execute(kind.resolve)
    for sentence, statement in kind.refusals:
        if _counted(cur, statement):
            raise UnfitValue(sentence)
    cur.execute("select set_config('gdpr.today', %s, true)", (today.isoformat(),))
    return count


def _counted(cur: cursor, statement: str) -> int:
    cur.execute(statement)
    (number,) = cur.fetchone() or (0,)
    return int(number)
