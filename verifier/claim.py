"""One entry and a proof of it: whether it is in the log, told without any place, from two files and a key."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.ledger.merkle import leaf_hash
from verifier.checkpoint import Checkpoint
from verifier.entry import EntryMalformed, said
from verifier.findings import Finding
from verifier.note import Forged, Keys, PublicKey, Unsigned, opened
from verifier.proof import TlogProof, includes
from verifier.spelling import Misspelt


@dataclass(frozen=True, kw_only=True)
class Claim:
    """That an entry stands at an index of a log. It does where there is no finding of an error."""

    findings: tuple[Finding, ...] = ()
    index: int | None = None
    checkpoint: Checkpoint | None = None
    signers: tuple[PublicKey, ...] = ()
    kind: str | None = None
    at: str | None = None

    @property
    def holds(self) -> bool:
        return not self.findings


class _Refuted(Exception):
    """It does not hold. Says under which code, and why."""

    def __init__(self, code: str, what: str, index: int | None = None) -> None:
        super().__init__(what)
        self.finding = Finding(code=code, what=what, first=index, last=index)


def verify(proof: bytes, entry: bytes, keys: Collection[PublicKey], *, name: str | None = None) -> Claim:
    """Whether a proof is of this entry, in a tree that one of these keys has signed."""
    try:
        return _verified(proof, entry, Keys(keys), name)
    except _Refuted as refuted:
        return Claim(findings=(refuted.finding,))


def _verified(proof: bytes, entry: bytes, keys: Keys, name: str | None) -> Claim:
    read, checkpoint, signers = _opened(proof, keys)
    if name is not None and checkpoint.origin.rpartition("/")[0] != name:
        raise _Refuted("wrong_place", f"The checkpoint is of another log than {name}")
    leaf = leaf_hash(entry)
    if not includes(leaf=leaf, index=read.index, size=checkpoint.size, path=read.path, root=checkpoint.root):
        raise _Refuted("proof_wrong", "The proof does not lead from this entry to the root that was signed")
    try:
        told = said(entry)
    except EntryMalformed as fault:
        raise _Refuted("entry_malformed", f"It is in the log, and is no entry: {fault}", read.index) from None
    return Claim(index=read.index, checkpoint=checkpoint, signers=signers, kind=told["kind"], at=told["at"])


def _opened(proof: bytes, keys: Keys) -> tuple[TlogProof, Checkpoint, tuple[PublicKey, ...]]:
    try:
        read = TlogProof.parse(proof)
        note = opened(read.checkpoint, keys)
        return read, Checkpoint.parse(note.text), note.signers
    except Misspelt as fault:
        raise _Refuted("proof_malformed", f"The proof cannot be read: {fault}") from None
    except Unsigned as unsigned:
        who = ", ".join(unsigned.claimed)
        raise _Refuted("nothing_signed", f"The checkpoint is signed by {who}, and by no key that is known") from None
    except Forged as forged:
        raise _Refuted("checkpoint_forged", f"Of the checkpoint {forged}") from None
