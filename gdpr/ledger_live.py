"""`gdpr ledger checkpoint | proof | query`: the ledger as it lies in the database, by the code of audit_logging.

`gdpr ledger verify` has nothing to do with it: that one looks from outside, with none of the code that writes.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from gdpr.auditor import Auditor, asked_for, auditing
from gdpr.columns import aligned
from gdpr.database import json_option
from shared.errors import Misuse

_WIDTH = 80


@click.command()
@auditing(keys=True, ledger=True)
@click.option(
    "--lock-days",
    type=click.IntRange(0, 36525),
    envvar="LEDGER_LOCK_DAYS",
    default=0,
    help="For how long Object Lock keeps it; not at all, if left out [LEDGER_LOCK_DAYS].",
)
@json_option
def checkpoint(auditor: Auditor, *, lock_days: int, as_json: bool) -> None:
    """Take all entries into the tree, and anchor it outside, signed.

    \b
    Example:
      KEYS_BUCKET=s3://shop-keys LEDGER_BUCKET=s3://shop-ledger gdpr ledger checkpoint
    """
    lock = timedelta(days=lock_days) if lock_days else None
    with auditor.database() as database:
        answer = auditor.ledger(database, lock=lock).checkpoint(asked_for({}))
    if as_json:
        click.echo(json.dumps(answer))
        return
    click.echo(f"{answer['origin']}  {answer['size']} {'entry' if answer['size'] == 1 else 'entries'}")
    if not answer["is_new"]:
        click.echo("It was anchored already." if answer["size"] else "There is nothing to anchor yet.", err=True)


@click.command()
@auditing(keys=True, ledger=True)
@click.option("--event", metavar="UUID", help="Of the entry that is to be proved.")
@click.option("--writer", metavar="ROLE", help="Who wrote it, where several roles wrote of one event.")
@click.option("--out", type=click.Path(path_type=Path), metavar="NAME", help="Write NAME.tlog-proof and NAME.bin.")
@click.option("--old", type=int, metavar="SIZE", help="A checkpoint that is to be the beginning of another.")
@click.option("--new", type=int, metavar="SIZE", help="That other one.")
@json_option
def proof(
    auditor: Auditor,
    *,
    event: str | None,
    writer: str | None,
    out: Path | None,
    old: int | None,
    new: int | None,
    as_json: bool,
) -> None:
    """Prove an entry to somebody outside; or that one checkpoint is the beginning of another.

    \b
    Example:
      gdpr ledger proof --event 0d9c6f7d-5f3a-4a11-8a52-3f2b8a523f53 --out erasure
      gdpr ledger proof --old 256 --new 1024 --json
    """
    if (event is None) == (old is None and new is None) or (event is None and (out or writer)):
        raise Misuse("A proof is of an --event, or of --old and --new", remedy="give one of them")
    asked = {"event": event, "writer": writer, "old_size": old, "new_size": new}
    if event is None and old is None:
        raise Misuse("--new stands alone", remedy="give --old as well")
    with auditor.database() as database:
        answer = auditor.ledger(database).proof(asked_for(asked))
    if out:
        _write(out, answer)
    elif as_json or event is None:
        click.echo(json.dumps(answer))
    else:
        click.echo(answer["proof"], nl=False)


@click.command()
@auditing(keys=True)
@click.option("--request", "request_id", metavar="UUID", help="Of this request, by its number in the register.")
@click.option("--kind", metavar="KIND", help="Of this kind: erasure.completed.")
@click.option("--since", metavar="TIME", help="Written then or later: 2026-11-20T09:00:00+01:00.")
@click.option("--until", metavar="TIME", help="Written before then.")
@click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="NAME=VALUE",
    help="About the person who is known so; may be repeated.",
)
@click.option("--subject-kind", metavar="NAME", help="Which kind of subject, where the map has several.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="No more than these.")
@click.option("--before", type=int, metavar="ID", help="Behind the last one of the page before.")
@click.option(
    "--by", "by_role", default="operator", show_default=True, metavar="ROLE", help="Who asks, for the ledger."
)
@json_option
def query(auditor: Auditor, *, identities: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """List entries, the newest first. That somebody asked is told to the ledger.

    \b
    Example:
      gdpr ledger query --kind request.refused --since 2026-11-01T00:00:00Z
    """
    named = [_identity(each) for each in identities] or None
    with auditor.database() as database:
        answer = auditor.ledger(database).query(asked_for({**given, "subject_identities": named}))
    if as_json:
        click.echo(json.dumps(answer))
        return
    header = ("id", "at", "kind", "writer")
    for line in aligned([header, *map(_row, answer["entries"])] if answer["entries"] else [], width=_WIDTH):
        click.echo(line)
    if "before" in answer:
        click.echo(f"There may be more: --before {answer['before']}", err=True)


def _row(entry: dict[str, Any]) -> tuple[str, str, str, str]:
    if entry.get("unreadable"):
        return (str(entry["id"]), entry["written_at"][:19] + "Z", "unreadable", "")
    return (str(entry["id"]), entry["at"][:19] + "Z", entry["kind"], entry["writer"])


def _identity(text: str) -> dict[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise Misuse("--identity is not of the form NAME=VALUE", remedy="write it like email=somebody@example.org")
    return {"identity_type": name, "identity_value": value}


def _write(out: Path, answer: dict[str, Any]) -> None:
    """As `gdpr ledger verify --proof --entry` reads them."""
    parts = {".tlog-proof": answer["proof"].encode(), ".bin": base64.b64decode(answer["entry"])}
    for ending, content in parts.items():
        file = out.with_name(out.name + ending)
        try:
            file.write_bytes(content)
        except OSError as error:
            remedy = "name a folder that is there, and may be written to"
            raise Misuse(f"{file} cannot be written ({type(error).__name__})", remedy=remedy) from None
        click.echo(str(file))
