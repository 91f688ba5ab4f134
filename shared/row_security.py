"""Row-level security that hides nothing from us is let to work; any other stops the request (threat model A5).

Sessions run with `row_security = off`: a policy that could hide a row makes a statement fail. That holds for a policy
that shows every row as well. So the tables of a plan are locked against a change of their policies, the policies are
read, and only where they show this role every row is row-level security switched on, for this transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor

from shared.errors import AccessDenied
from shared.queries import query


def let_policies_work(cur: cursor, tables: Sequence[str]) -> None:
    """For the rest of the transaction. Raises AccessDenied where one could hide a row of these tables."""
    cur.execute(query("screened_tables"), {"tables": list(tables)})
    screened = [table for (table,) in cur.fetchall()]
    if not screened:
        return
    cur.execute("select set_config('row_security', 'on', true)")
    for table in screened:  # which locks it, and takes no more than a column's privilege as LOCK TABLE would
        cur.execute(sql.SQL("select from {} limit 0").format(sql.SQL(table)))
    cur.execute(query("blinding_policies"), {"tables": screened})
    if found := cur.fetchone():
        table, role = found
        raise AccessDenied(
            f"A row-level security policy may hide rows of {table} from {role}",
            remedy="gdpr map check says which policy the role needs",
        )
