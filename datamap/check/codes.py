"""The codes that a CHECK allows a column: `status in ('open', 'closed')`, as Postgres writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datamap.catalogue import Check, Table
from datamap.names import quoted

_TEXT = r"'(?:[^']|'')*'"
_CAST = r"(?:::[\w\". ]+?(?:\[\])?)?"
_LIST = re.compile(rf"\(*(?P<column>{{}})\)*{_CAST} = ANY \(+ARRAY\[(?P<values>[^\]]*)\][)\w: \[\]]*")


def listed(table: Table, column: str) -> tuple[str, ...]:
    """What a CHECK of this column alone allows, in its order; () where none lists it."""
    for check in table.checks:
        if check.columns == (column,) and (found := allowed(check, column)) is not None:
            return found
    return ()


def allowed(check: Check, column: str) -> tuple[str, ...] | None:
    """The list, where the CHECK is nothing but one."""
    name = re.escape(quoted(column))
    match = re.fullmatch(_LIST.pattern.replace("{}", name), check.expression.strip())
    return tuple(_values(match["values"])) if match else None


def _values(text: str) -> Iterator[str]:
    for value in re.findall(_TEXT, text):
        yield value[1:-1].replace("''", "'")
