"""Lines whose cells stand below each other, for whoever reads them and for `cut`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

Cell = str | int

WIDTH = 120  # of a line; what has no blank in it may be longer


def plain(text: str) -> str:
    """What may stand in one line, on a terminal and in a comment: a name may hold a line break, or worse."""
    return "".join(character if character.isprintable() else "?" for character in text)


def filled(text: str, *, margin: str = "", below: str | None = None, width: int = WIDTH) -> list[str]:
    """The text in lines, broken at blanks only; `below` is the margin of all but the first."""
    rest = margin if below is None else below
    return wrap(
        plain(text),
        width,
        initial_indent=margin,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def aligned(rows: Sequence[Sequence[Cell]], *, margin: str = "", width: int = WIDTH) -> Iterator[str]:
    """Texts to the left, numbers to the right, two spaces between them; nothing at the end of a line.

    Where a line would be too long, the widest cells go on in the next.
    """
    shown = [[cell if isinstance(cell, int) else plain(cell) for cell in row] for row in rows]
    columns = list(zip(*shown, strict=True))
    widths = _fitted(columns, width - len(margin) - 2 * (len(columns) - 1))
    for row in shown:
        cells = [_broken(cell, room) for cell, room in zip(row, widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=""):
            placed = (
                part.rjust(room) if isinstance(cell, int) else part.ljust(room)
                for part, cell, room in zip(parts, row, widths, strict=True)
            )
            yield (margin + "  ".join(placed)).rstrip()


def _fitted(columns: Sequence[Sequence[Cell]], room: int) -> list[int]:
    """The width of each column: the widest gives way, as far as its longest word allows."""
    widths = [max(len(str(cell)) for cell in column) for column in columns]
    least = [max(_longest_word(cell) for cell in column) for column in columns]
    while sum(widths) > room:
        may_shrink = [number for number, width in enumerate(widths) if width > least[number]]
        if not may_shrink:
            break
        widths[max(may_shrink, key=widths.__getitem__)] -= 1
    return widths


def _longest_word(cell: Cell) -> int:
    return max(map(len, str(cell).split()), default=0)


def _broken(cell: Cell, room: int) -> list[str]:
    text = str(cell)
    return [text] if len(text) <= room else filled(text, width=room)
