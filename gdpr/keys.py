"""`gdpr keys`: the keys that lie outside the database."""

from __future__ import annotations

import os
from typing import TypedDict

import click

from shared.bucket import BucketAddress, open_bucket
from shared.errors import Misuse, SettingMissing
from shared.keys import LEDGER, PERSON, SEALING, Keys, LedgerKeys
from shared.ledger import epoch
from shared.ledger.anchors import Anchors

_REGION = "us-east-2"


class _Aws(TypedDict):
    region: str
    endpoint: str | None


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
@click.argument("key", type=click.Choice([LEDGER, SEALING, PERSON]))
@click.option("--kms", metavar="ARN", help="A key of KMS that is to sign the ledger; unless given, one is made.")
def rotate(key: str, kms: str | None) -> None:
    """Add a new key: what is signed or sealed from now on has it.

    \b
    ledger   checkpoints are signed with the old key and the new one, and the
             ledger tells of it. Publish the new public key, which is shown;
             then `gdpr keys retire`.
    sealing  what was sealed before still opens.
    person   never: people's ids are made with it.

    \b
    Example:
      gdpr keys rotate ledger && gdpr keys show > ledger.pub
    """
    if kms and key != LEDGER:
        raise Misuse("Only the ledger is signed with a key of KMS", remedy="leave out --kms")
    if key == PERSON:
        raise Misuse(
            "The key 'person' never rotates: people's ids in schema gdpr are made with it, and with another one "
            "everybody who asks again would be a stranger",
            remedy="if it was seen by somebody, restrict who may read schema gdpr",
        )
    if key == SEALING:
        _keys().rotate_sealing()
        click.echo("What is sealed from now on has a new key.", err=True)
        return
    click.echo(str(_keys().rotate_ledger(kms=kms)))
    click.echo("Checkpoints are signed with the old key and this one from now on.", err=True)


@key_commands.command()
def retire() -> None:
    """Let the newest key of the ledger sign alone. The others stay known: what they have signed still counts.

    Refused until a checkpoint is signed with the newest key, so that who knows the old one alone can see that both are
    one ledger's.

    \b
    Example:
      gdpr keys retire && gdpr keys show > ledger.pub
    """
    keys = _keys()
    known = keys.ledger()
    if len(known.signers) == 1:
        click.echo("One key alone signs already.", err=True)
        return
    _check_both_have_signed(known)
    for key in keys.retire_ledger():
        click.echo(str(key))
    click.echo("These sign no more, and stay known.", err=True)


def _check_both_have_signed(keys: LedgerKeys) -> None:
    """Wherever the ledger is published already."""
    name = keys.known[0].name
    place = open_bucket(_place("LEDGER_BUCKET", "the ledger is anchored in"), **_aws())
    anchors = epoch.newest(Anchors(place, name=name, epoch=epoch.FIRST, keys=keys.known))
    newest = anchors.newest
    if newest and anchors.among([keys.signers[-1].public]).first(newest.size) is None:
        raise Misuse(
            "The newest checkpoint is not signed with the newest key yet",
            where=place.where,
            remedy="let audit_logging publish one (`checkpoint`), and try again",
        )


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
    return Keys(bucket=open_bucket(address, **_aws()))


def _aws() -> _Aws:
    return {
        "region": os.environ.get("AWS_REGION") or _REGION,
        "endpoint": os.environ.get("AWS_ENDPOINT_URL") or None,
    }


def _place(variable: str, purpose: str) -> BucketAddress:
    text = os.environ.get(variable, "").strip()
    if not text:
        raise SettingMissing(f"{variable} is not set", remedy=f"it names the bucket or folder that {purpose}")
    return BucketAddress.parse(text, variable=variable)
