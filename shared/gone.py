"""The keys of rows that an erasure deleted: read at its end, and bound again when it is verified, which is later.

They are personal data until then, and belong nowhere but into the state of the erasure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg2.extensions import cursor

from shared.binding import Value, bind
from shared.plan import Kind

Keys = Mapping[str, Sequence[Sequence[Value]]]  # by table


def read_gone(cur: cursor, kind: Kind) -> Keys:
    """What was deleted, as the last thing in the erasure's transaction."""
    found: dict[str, Sequence[Sequence[Value]]] = {}
    for gone in kind.gone:
        cur.execute(gone.keys)
        found[gone.dataset] = cur.fetchall()
    return found


def bind_gone(cur: cursor, kind: Kind, keys: Keys) -> None:
    """What the statements of the purpose `verify` join, for the rest of the transaction."""
    for gone in kind.gone:
        bind(cur, gone.relation, gone.binds, keys.get(gone.dataset, ()))
