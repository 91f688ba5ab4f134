"""What `python -m demo` shows: the shop that it builds, and one person in it."""

from __future__ import annotations

import contextlib
import signal
import time

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn
from rich.table import Table
from rich.text import Text

from demo import inventory, shop
from demo.inventory import Amount
from demo.premises import Premises, rent
from demo.search import PHRASE, search
from demo.shop import MIRA, Shop
from local.stores import Stores, open_stores


def show(*, users: int, seed: int, stay: bool, console: Console, talk: Console) -> None:
    """Build it, show it, take it down. Results go to `console`, progress to `talk`."""
    begun = time.monotonic()
    with open_stores() as stores, rent(stores) as premises:
        console.print(f"Stores: {stores.described()}.\n")
        console.print(
            f"A shop with {users:,} made-up people comes first: a privacy tool can only be judged "
            "by whom it finds, and whom it leaves alone.",
        )
        built = _build(premises, users, seed, talk)
        _show_shop(premises, console)
        _show_person(premises, console)
        if stay:
            _stay(premises, stores, console)
    _say_what_is_next(built, time.monotonic() - begun, console)


def _stay(premises: Premises, stores: Stores, console: Console) -> None:
    """Wait until somebody has seen enough."""
    console.print("The shop stays until Ctrl-C. In another shell:\n")
    console.print(f"export DATABASE_URL={premises.database.url()}", soft_wrap=True)
    console.print(f"export REDIS_URL={stores.cache.url()}", soft_wrap=True)
    console.print(".venv/bin/gdpr map discover                    # a map of it, proposed")
    console.print(".venv/bin/gdpr map check demo/datamap.yaml     # the one by hand, checked\n")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            signal.pause()


class _RowsPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = f", {task.speed:,.0f} per second" if task.speed else ""
        return Text(f"{task.completed:,.0f} rows{speed}")


def _build(premises: Premises, users: int, seed: int, talk: Console) -> Shop:
    columns = (BarColumn(), TaskProgressColumn(), _RowsPerSecond())
    with Progress(*columns, console=talk, transient=True, disable=not talk.is_interactive) as progress:
        task = progress.add_task("", total=shop.expected_rows(users))
        return shop.build(premises, users=users, seed=seed, progress=lambda rows: progress.advance(task, rows))


def _show_shop(premises: Premises, console: Console) -> None:
    console.print("\nIn Postgres a row names a person in many ways, and a foreign key is only one of them:")
    console.print(_listed(inventory.tables(premises), "table", "rows", "how a row names a person", with_bytes=True))
    console.print("In Valkey no schema says whose a key is:")
    console.print(_listed(inventory.keys(premises), "key", "entries", "how it names a person"))
    console.print("In S3 only the prefix does, and users/4 is how users/42/ begins, too:")
    console.print(_listed(inventory.objects(premises), "object", "versions", "how it names a person"))


def _show_person(premises: Premises, console: Console) -> None:
    person, rows = inventory.rows_of(premises, MIRA)
    console.print(
        f"This is what there is of user {person.id}, {person.email}, counted by the statements of demo/person.sql, "
        "so that what the suite finds can be held against somebody else's count:"
    )
    amounts = [*rows, *inventory.keys_of(premises, person), *inventory.objects_of(premises, person.id)]
    console.print(_listed(amounts, "where", "count", "found by"))
    console.print("* No foreign key leads there.\n")
    found = search(premises, PHRASE)
    console.print(f'Asked "{PHRASE}", the search by meaning finds a note of hers: "{found[0].content}"\n')


def _listed(amounts: list[Amount], place: str, count: str, remark: str, *, with_bytes: bool = False) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(place, no_wrap=True)
    table.add_column(count, justify="right")
    if with_bytes:
        table.add_column("size", justify="right", no_wrap=True)
    table.add_column(remark)
    for amount in amounts:
        size = (decimal(amount.bytes),) if with_bytes else ()
        table.add_row(amount.place, f"{amount.count:,}", *size, amount.remark)
    return table


def _say_what_is_next(built: Shop, seconds: float, console: Console) -> None:
    console.print(
        f"{built.rows:,} rows with their keys and indexes in {built.seconds:.1f} s "
        f"({built.rows / built.seconds:,.0f} per second), {seconds:.1f} s in all "
        "with starting the stores; database, keys and objects are gone again. Next: `make test` runs the tests, "
        "`make help` lists the rest."
    )
