"""`make bench`: run what can be compared, and print it as a table."""

from __future__ import annotations

import argparse
import itertools
import os
import platform
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from bench import data_map, house, ledger
from bench.measure import Measured
from local.stores import open_stores


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def _row(measured: Measured) -> tuple[str, ...]:
    return (
        measured.work,
        _milliseconds(measured.ours),
        _milliseconds(measured.floor),
        f"{measured.ratio:.2f}",
        f"{measured.floor_is}; median of {measured.rounds}",
    )


def main() -> None:
    argparse.ArgumentParser(prog="python -m bench", description=__doc__).parse_args()
    console = Console(highlight=False)
    with open_stores() as stores:
        console.print(f"stores: {stores.described()}")
    console.print(
        f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"psycopg2-binary {version('psycopg2-binary')}\n"
    )
    table = Table("work", "ours", "floor", "ratio", "the floor is")
    for measured in itertools.chain(house.measure(), data_map.measure(), ledger.measure()):
        table.add_row(*_row(measured))
    console.print(table)


if __name__ == "__main__":
    main()
