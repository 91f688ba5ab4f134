"""Lines whose cells stand below each other, for whoever reads them and for `cut`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Cell = str | int


def plain(text: str) -> str:
    """What may stand in one line, on a terminal and in a comment: a name may hold a line break, or worse."""
    return "".join(character if character.isprintable() else "?" for character in text)


def aligned(rows: Sequence[Sequence[Cell]], *, margin: str = "") -> Iterator[str]:
    """Texts to the left, numbers to the right, two spaces between them; nothing at the end of a line."""
    shown = [[cell if isinstance(cell, int) else plain(cell) for cell in row] for row in rows]
    widths = [max(len(str(cell)) for cell in column) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = (
            str(cell).rjust(width) if isinstance(cell, int) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        yield (margin + "  ".join(cells)).rstrip()
