"""`gdpr ledger`: the ledger, as it lies outside."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdpr.database import json_option
from gdpr.quantity import counted
from shared.errors import Misuse, SettingMissing, StoreMisconfigured, StoreUnavailable

if TYPE_CHECKING:
    from verifier.findings import Finding
    from verifier.log import Report
    from verifier.note import PublicKey


@click.group("ledger")
def ledger_commands() -> None:
    """The ledger: what happened, in an order that nobody can change without being seen."""


@ledger_commands.command()
@click.argument("place", required=False)
@click.option(
    "--key", "keys", multiple=True, metavar="VKEY", help="A public key, or a file with one a line; repeatable."
)
@click.option("--origin", metavar="NAME", help="What the log is called; unless given, what its checkpoints say.")
@click.option("--proof", type=click.Path(path_type=Path), metavar="FILE", help="A proof, instead of a PLACE.")
@click.option("--entry", type=click.Path(path_type=Path), metavar="FILE", help="The bytes of the entry that it is of.")
@click.option("--strict", is_flag=True, help="Warnings, too, mean no.")
@click.option("--region", envvar="AWS_REGION", metavar="NAME", help="Of the bucket [AWS_REGION].")
@click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", metavar="URL", help="Of S3, if not AWS [AWS_ENDPOINT_URL].")
@json_option
@click.pass_context
def verify(  # noqa: PLR0917 - click passes them by name
    ctx: click.Context,
    place: str | None,
    keys: tuple[str, ...],
    origin: str | None,
    proof: Path | None,
    entry: Path | None,
    region: str | None,
    endpoint_url: str | None,
    *,
    strict: bool,
    as_json: bool,
) -> None:
    """Verify the whole ledger, or the proof of one entry, with nothing but what lies outside and public keys.

    PLACE is a folder, file:///folder or s3://bucket/prefix; LEDGER_BUCKET unless it is named. Nothing is written.
    Exit status 0 if all is well, 1 if it is not, 2 for misuse, 3 where a retry may help. docs/ledger.md explains each
    finding.

    \b
    Example:
      gdpr ledger verify s3://shop-ledger --origin shop-ledger --key keys.txt
      gdpr ledger verify --proof 4711.tlog-proof --entry 4711.bin --key shop-ledger+ae5c3e7e+AQOh…
    """
    from gdpr import ledger_report

    known = _keys(keys)
    if (proof is None) != (entry is None) or (proof is not None and place is not None):
        raise Misuse("A proof needs --proof and --entry, and no place", remedy="give both, or neither and a place")
    if proof is not None and entry is not None:
        from verifier import claim

        checked = claim.verify(_content(proof), _content(entry), known, name=origin)
        lines, data, findings = ledger_report.of_proof(checked), ledger_report.proof_data(checked), checked.findings
    else:
        report = _verified(place, known, origin, region, endpoint_url)
        lines, data, findings = ledger_report.of_log(report), ledger_report.log_data(report), report.findings
    for line in [json.dumps(data, ensure_ascii=False, indent=2)] if as_json else lines:
        click.echo(line)
    ctx.exit(1 if any(_means_no(finding, strict=strict) for finding in findings) else 0)


def _means_no(finding: Finding, *, strict: bool) -> bool:
    return strict or finding.severity == "error"


def _verified(
    place: str | None, keys: list[PublicKey], origin: str | None, region: str | None, endpoint: str | None
) -> Report:
    from verifier.log import verify as verified
    from verifier.source import SourceFault, opened

    try:
        with _progress() as progress:
            source = opened(_place(place), region=region, endpoint=endpoint)
            return verified(source, keys, name=origin, progress=progress)
    except SourceFault as fault:
        kind = StoreUnavailable if fault.is_passing else StoreMisconfigured
        raise kind(fault.what, remedy=fault.remedy) from None


def _place(named: str | None) -> str:
    if named:
        return named
    setting = os.environ.get("LEDGER_BUCKET", "").strip()
    if not setting:
        raise SettingMissing("No place is named", remedy="name a folder or s3://bucket/prefix, or set LEDGER_BUCKET")
    return setting if "://" in setting else f"s3://{setting}"


def _keys(texts: tuple[str, ...]) -> list[PublicKey]:
    """Each is a key or a file with keys, in which empty lines and those that begin with # say nothing."""
    from verifier.note import KeyInvalid, Keys, PublicKey

    if not texts:
        raise Misuse("No key is given", remedy="pass --key with the one that is published for this ledger, or its file")
    lines = [line.strip() for text in texts for line in _lines(text)]
    try:
        keys = [PublicKey.parse(line) for line in lines if line and not line.startswith("#")]
        Keys(keys)
    except KeyInvalid as invalid:
        raise Misuse(f"A key cannot be used: {invalid}", remedy="copy it whole, from where it is published") from None
    if not keys:
        raise Misuse("There is no key in the file", remedy="write one in each line, NAME+ID+KEY")
    return keys


def _lines(text: str) -> list[str]:
    if text.startswith("PRIVATE+KEY+"):
        raise Misuse("This is a signing key, which is nobody's to see", remedy="pass the public one")
    path = Path(text)
    with contextlib.suppress(OSError):
        if path.is_file():
            return _content(path).decode("utf-8", errors="replace").splitlines()
    if text.count("+") < 2:
        raise Misuse("--key names neither a key nor a file that is there", remedy="a key is written NAME+ID+KEY")
    return [text]


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(2 * 1024 * 1024)
    except OSError as error:
        raise Misuse(f"{file} cannot be read ({type(error).__name__})", remedy="name a file that is there") from None


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A line on stderr, where somebody is looking."""
    if not sys.stderr.isatty():
        yield lambda _entries, _checkpoints: None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading") as status:
        yield lambda entries, checkpoints: status.update(f"{entries:,} entries, {counted(checkpoints, 'checkpoint')}")
