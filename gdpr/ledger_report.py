"""What a verification of the ledger saw and found, for a person at a terminal and for a machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from gdpr.columns import filled, plain
from gdpr.quantity import counted
from verifier.claim import Claim
from verifier.epoch import EpochReport
from verifier.findings import Finding
from verifier.log import Report

_FOLDER = (
    "A folder does not tell when a file was put there, nor what lay there before: silence, deletions and an old newest "
    "checkpoint show in the bucket itself only."
)


def entries(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


def of_log(report: Report) -> Iterator[str]:
    """Each epoch in a few lines, then one sentence, or what is wrong."""
    for epoch in report.epochs:
        yield plain(f"The ledger {epoch.origin} at {report.where}")
        yield from (f"  {plain(line)}" for line in _seen(epoch))
    if not report.has_times:
        yield from filled(_FOLDER, margin="  ")
    yield ""
    yield from _told(report.findings, report.more)
    if not report.findings:
        yield "All is well: what lies there is what was signed, and nothing that the ledger tells of is missing."


def _seen(epoch: EpochReport) -> Iterator[str]:
    yield f"{entries(epoch.entries)} in {counted(epoch.checkpoints, 'checkpoint')}, {_agreement(epoch)}"
    if epoch.first_at and epoch.last_at:
        yield f"by what they say, they are of {_minute(epoch.first_at)} to {_minute(epoch.last_at)}"
    if epoch.since and epoch.until:
        yield f"by the bucket's clock, its checkpoints are of {_at(epoch.since)} to {_at(epoch.until)}"
    for key, signed in epoch.keys.items():
        yield f"signed by {key}: {counted(signed.checkpoints, 'checkpoint')}, of size {signed.first} to {signed.last}"
    if epoch.beyond:
        yield f"{entries(epoch.beyond)} more that no checkpoint covers yet, and of which nothing is said here"


def _agreement(epoch: EpochReport) -> str:
    if epoch.agreeing == epoch.checkpoints:
        return "all of which agree with the entries" if epoch.checkpoints else "so nothing is proved"
    return f"{epoch.agreeing} of which {'agrees' if epoch.agreeing == 1 else 'agree'} with the entries"


def of_proof(claim: Claim) -> Iterator[str]:
    yield from _told(claim.findings, Counter())
    if claim.holds and claim.checkpoint:
        who = " and ".join(map(str, claim.signers))
        what = f"The entry ({claim.kind}, {_minute(claim.at or '')}) is number {claim.index} of the ledger"
        yield from filled(
            f"{what} {claim.checkpoint.origin}, in the tree of {entries(claim.checkpoint.size)} that {who} signed."
        )


def _told(findings: Sequence[Finding], more: Counter[str]) -> Iterator[str]:
    for finding in findings:
        yield plain(f"{finding.severity}: {finding.code}{_range(finding)}")
        yield from filled(f"{finding.what}{f' ({finding.key})' if finding.key else ''}.", margin="    ")
        yield from filled(f"What to do: {finding.remedy}.", margin="    ")
    for code, number in sorted(more.items()):
        yield f"{number:,} more of {code}"
    if findings:
        yield ""
        yield f"{_summary(findings, more)}. docs/ledger.md has a heading for each."


def _summary(findings: Sequence[Finding], more: Counter[str]) -> str:
    """`2 errors, 1 warning`"""
    severities = {finding.code: finding.severity for finding in findings}
    counts = Counter(finding.severity for finding in findings)
    for code, number in more.items():
        counts[severities[code]] += number
    return ", ".join(counted(counts[severity], severity) for severity in ("error", "warning") if counts[severity])


def _range(finding: Finding) -> str:
    epoch = f", epoch {finding.epoch}" if finding.epoch else ""
    if finding.first is None or finding.last is None:
        return epoch
    if finding.first == finding.last:
        return f"{epoch}, entry {finding.first}"
    return f"{epoch}, entries {finding.first} to {finding.last}"


def _minute(told: str) -> str:
    """Of an entry's own time."""
    return f"{told[:10]} {told[11:16]} UTC"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def log_data(report: Report) -> dict[str, Any]:
    return {
        "place": report.where,
        "clean": not report.findings,
        "epochs": [_epoch_data(epoch) for epoch in report.epochs],
        **_finding_data(report.findings),
        "more": dict(report.more),
    }


def _epoch_data(epoch: EpochReport) -> dict[str, Any]:
    times = {name: at and at.isoformat() for name, at in (("since", epoch.since), ("until", epoch.until))}
    return asdict(epoch) | times


def proof_data(claim: Claim) -> dict[str, Any]:
    checkpoint = claim.checkpoint
    return {
        "holds": claim.holds,
        "index": claim.index,
        "origin": checkpoint.origin if checkpoint else None,
        "size": checkpoint.size if checkpoint else None,
        "root": checkpoint.root.hex() if checkpoint else None,
        "keys": list(map(str, claim.signers)),
        "kind": claim.kind,
        "at": claim.at,
        **_finding_data(claim.findings),
    }


def _finding_data(findings: Sequence[Finding]) -> dict[str, Any]:
    told = [asdict(finding) | {"severity": finding.severity, "remedy": finding.remedy} for finding in findings]
    return {"findings": told}
