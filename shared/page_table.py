"""Tables for people: a caption, names above the columns and before the rows, numbers below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.page_markup import Content, Markup, element


@dataclass(frozen=True, kw_only=True)
class Column:
    """What stands below a name."""

    name: Content
    is_number: bool = False

    @property
    def style(self) -> str | None:
        return "number" if self.is_number else None


def texts(*names: Content) -> list[Column]:
    return [Column(name=name) for name in names]


def numbers(*names: Content) -> list[Column]:
    return [Column(name=name, is_number=True) for name in names]


def table(
    caption: Content, columns: Sequence[Column], rows: Sequence[Sequence[Content]], *, total: Sequence[Content] = ()
) -> Markup:
    """The first cell of a row is its name."""
    heads = [element("th", column.name, scope="col", class_=column.style) for column in columns]
    drawn = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", heads)),
        element("tbody", [_row(columns, row) for row in rows]),
        element("tfoot", _row(columns, total)) if total else None,
    )
    return element("div", drawn, class_="table")


def _row(columns: Sequence[Column], cells: Sequence[Content]) -> Markup:
    (first, name), *rest = zip(columns, cells, strict=True)
    return element(
        "tr",
        element("th", shown(name), scope="row", class_=first.style),
        [element("td", shown(cell), class_=_style(column, cell)) for column, cell in rest],
    )


def _style(column: Column, cell: Content) -> str | None:
    """A zero steps back behind the numbers that say something."""
    return " ".join(filter(None, (column.style, "zero" if cell == 0 or cell is None else None))) or None


def shown(cell: Content) -> Content:
    """A number with its thousands apart, and nothing as a dash."""
    if isinstance(cell, int):
        return f"{cell:,}"
    return "\N{EN DASH}" if cell is None else cell
