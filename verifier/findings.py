"""What a verification finds: each under a code that docs/ledger.md explains, with the entries that it is about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning"]

# The code, how bad it is, and what to do; the worst first, and in this order they are told.
CODES: dict[str, tuple[Severity, str]] = {
    "fork": ("error", "keep all of it: two signatures of one key that contradict each other are proof for anybody"),
    "wrong_root": ("error", "keep all of it, and compare the entries from here on with another copy or the database"),
    "entries_missing": (
        "error",
        "get them from another copy or the database; until then nothing after them is proved",
    ),
    "bundle_malformed": ("error", "get it from another copy, or take an earlier version of it"),
    "bundle_changed": ("error", "see who wrote there, and compare the two versions"),
    "bundle_contradicted": ("error", "see who wrote the wider one; the entries of the narrower were verified here"),
    "checkpoint_missing": ("error", "see who deleted it; where it lies elsewhere, verify with it in its place"),
    "checkpoint_changed": ("error", "see who wrote there; an earlier version may still be what the ledger told of"),
    "checkpoint_hidden": ("error", "see who deleted or covered it; the version below counts, and was verified here"),
    "checkpoint_forged": ("error", "see who wrote there; it counts for nothing"),
    "checkpoint_malformed": ("error", "ask whoever holds the key what it has signed here"),
    "wrong_place": ("error", "see who wrote there; if another log is meant, name it with --origin"),
    "told_ahead": ("error", "ask whoever runs the ledger: nothing can be told before it has happened"),
    "entry_malformed": ("error", "ask whoever runs the ledger which program wrote it"),
    "epoch_missing": ("error", "see who deleted it: a new epoch only follows one that lies beside it"),
    "epoch_misdeclared": ("error", "ask whoever runs the ledger: more was lost, or something else, than they declare"),
    "nothing_signed": ("error", "give the key that is published for this ledger, or see whether this is its place"),
    "key_unknown": ("error", "give this key as well, once you know that it is theirs"),
    "empty": ("error", "name the place that the ledger is published to"),
    "silence": ("error", "ask what happened in that time; what was written then has no earlier witness"),
    "stale": ("error", "see whether the ledger still publishes; `checkpoint` does it by hand"),
    "entries_lost": ("warning", "ask what they were, and see that what you kept of them is done again"),
    "bundle_hidden": ("warning", "see who deleted it; the version below was verified here"),
    "epoch_unexplained": ("warning", "ask which restore made it necessary, and compare it with the one before"),
    "untold": ("warning", "ask who published it: it fits, and the ledger does not know of it"),
    "squatted": ("warning", "see who may write there; it counts for nothing"),
    "stray": ("warning", "see who may write there; it counts for nothing"),
    # Of a proof
    "proof_wrong": ("error", "ask for a new proof, with the entry that it is for; as they are, they prove nothing"),
    "proof_malformed": ("error", "ask for a new proof; this one cannot be read in one way only"),
}
_ORDER = {code: place for place, code in enumerate(CODES)}
_MOST = 20  # findings of one code in one log that are told each; the rest is counted


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    code: str
    what: str  # a sentence without its full stop; never what stands in an entry
    epoch: int | None = None
    first: int | None = None  # of the entries concerned
    last: int | None = None
    key: str | None = None  # of the object concerned

    @property
    def severity(self) -> Severity:
        return CODES[self.code][0]

    @property
    def remedy(self) -> str:
        return CODES[self.code][1]


class Findings:
    """What was found so far. However much is wrong, it takes no more room than so much."""

    def __init__(self) -> None:
        self._told: dict[tuple[int | None, str], list[Finding]] = {}
        self.untold: Counter[str] = Counter()  # how many more there are of a code

    def add(self, finding: Finding) -> None:
        told = self._told.setdefault((finding.epoch, finding.code), [])
        if finding in told:
            return  # a bundle that was read again
        if told and _goes_on(told[-1], finding):
            told[-1] = replace(told[-1], last=finding.last)
        elif len(told) < _MOST:
            told.append(finding)
        else:
            self.untold[finding.code] += 1

    def excuse(self, code: str, epoch: int, first: int, last: int) -> None:
        """What is found of these entries alone is told of by something else."""
        told = self._told.get((epoch, code), [])
        told[:] = [each for each in told if not (first <= (each.first or 0) and (each.last or 0) <= last)]

    @property
    def worst_first(self) -> list[Finding]:
        found = [finding for told in self._told.values() for finding in told]
        return sorted(found, key=lambda finding: (_ORDER[finding.code], finding.epoch or 0, finding.first or 0))


def _goes_on(before: Finding, finding: Finding) -> bool:
    """The same of the entries right behind."""
    if before.last is None or finding.first is None:
        return False
    return before.what == finding.what and before.last + 1 == finding.first
