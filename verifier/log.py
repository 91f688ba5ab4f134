"""A whole log, all its epochs, verified from what lies outside and the keys that an auditor has pinned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from verifier.anchors import name_in
from verifier.epoch import Epoch, EpochReport, Progress
from verifier.findings import Finding, Findings
from verifier.note import Keys, PublicKey
from verifier.source import Source

ALLOWED = timedelta(hours=26)  # between two checkpoints: it publishes at least once in 24 hours


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was seen, and what was found wrong with it, the worst first."""

    where: str
    has_times: bool
    epochs: tuple[EpochReport, ...]
    findings: tuple[Finding, ...]
    more: Counter[str]  # findings of a code beyond those that are told each

    @property
    def is_clean(self) -> bool:
        """Without an error."""
        return all(finding.severity != "error" for finding in self.findings)


def verify(
    source: Source,
    keys: Collection[PublicKey],
    *,
    name: str | None = None,
    now: datetime | None = None,
    allowed: timedelta = ALLOWED,
    progress: Progress = lambda _entries, _checkpoints: None,
) -> Report:
    """Read all of it. Without its name, a log is called what its first checkpoint says.

    Raises SourceFault where the objects cannot be read.
    """
    known, findings = Keys(keys), Findings()
    numbers = source.epochs()
    called = name or name_in(source, known, numbers) or "?"
    epochs: list[EpochReport] = []
    for number in numbers:
        epoch = Epoch(
            source, known, name=called, epoch=number, allowed=allowed, findings=findings, earlier=tuple(epochs)
        )
        epochs.append(epoch.verified(progress))
    _whole(numbers, findings)
    if source.has_times and epochs:
        _fresh(epochs[-1], now or datetime.now(UTC), allowed, findings)
    return Report(
        where=source.where,
        has_times=source.has_times,
        epochs=tuple(epochs),
        findings=tuple(findings.worst_first),
        more=findings.untold,
    )


def _whole(numbers: Sequence[int], findings: Findings) -> None:
    """Is there something, and does no epoch lack one before it?"""
    if not numbers:
        findings.add(Finding(code="empty", what="Nothing of a ledger lies here"))
    missing = sorted(set(range(1, max(numbers, default=0))) - set(numbers))
    for number in missing:
        what = f"There is an epoch {max(numbers)}, and none with the number {number}"
        findings.add(Finding(code="epoch_missing", what=what, epoch=number))


def _fresh(epoch: EpochReport, now: datetime, allowed: timedelta, findings: Findings) -> None:
    if epoch.until and now - epoch.until > allowed:
        what = f"The newest checkpoint was put there at {epoch.until:%Y-%m-%d %H:%M} UTC"
        findings.add(Finding(code="stale", what=what, epoch=epoch.epoch))
