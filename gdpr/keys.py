"""`gdpr keys`: the keys that lie outside the database."""

from __future__ import annotations

import os

import click

from shared.bucket import BucketAddress, open_bucket
from shared.errors import SettingMissing
from shared.keys import Keys

_REGION = "us-east-2"


@click.group("keys")
def key_commands() -> None:
    """The keys of the ledger and of sealed identities, which lie outside the database."""


@key_commands.command()
@click.option("--log", metavar="NAME", help="What the ledger is called; unless given, as LEDGER_BUCKET is.")
def make(log: str | None) -> None:
    """Make the keys that are missing in KEYS_BUCKET, and none that is there.

    \b
    Example:
      KEYS_BUCKET=file:///srv/keys LEDGER_BUCKET=file:///srv/ledger gdpr keys make
    """
    keys = _keys()
    made = keys.make(log=log or _place("LEDGER_BUCKET", "the ledger is anchored in").name)
    for name in made:
        click.echo(name)
    if not made:
        click.echo("All keys are there.", err=True)


@key_commands.command()
def show() -> None:
    """Show the public keys of the ledger, which auditors pin. Nothing secret is shown.

    \b
    Example:
      gdpr keys show > ledger.pub && gdpr ledger verify --key ledger.pub
    """
    for key in _keys().ledger().known:
        click.echo(str(key))


def _keys() -> Keys:
    address = _place("KEYS_BUCKET", "the keys lie in")
    region, endpoint = os.environ.get("AWS_REGION") or _REGION, os.environ.get("AWS_ENDPOINT_URL") or None
    return Keys(bucket=open_bucket(address, region=region, endpoint=endpoint))


def _place(variable: str, purpose: str) -> BucketAddress:
    text = os.environ.get(variable, "").strip()
    if not text:
        raise SettingMissing(f"{variable} is not set", remedy=f"it names the bucket or folder that {purpose}")
    return BucketAddress.parse(text, variable=variable)
