"""Tables that a person decides about, however sure the links are: their names say that a mistake there is costly.

What a law often keeps, what shows what somebody did, what stands in somebody else's place.
"""

from __future__ import annotations

from collections.abc import Sequence

from datamap.catalogue import Table
from datamap.discover import words
from datamap.discover.finding import Link

LAW = (
    "does a law ask you to keep these (tax, bookkeeping; in Germany § 147 AO, § 257 HGB)?"
    " then erase: keep with keep: {exception: 17(3)(b), columns: […]}; if none does, erase: delete"
)
PROOF = (
    "do you have to prove what was agreed (Art. 7(1) GDPR, claims)?"
    " then erase: keep with keep: {exception: 17(3)(e), columns: […]}; if not, erase: delete"
)
DEEDS = (
    "what somebody did, and maybe to whom: should the entry stay without them? then the link's role: actor;"
    " does a law ask for it whole? then erase: keep; if neither, erase: delete"
)
CONTENT = (
    "does it stand in a place of others, as an answer or a review?"
    " then decide whether it goes (erase: delete) or stays without the name (erase: unlink)"
)
CREATED = "is whoever created a row its owner (erase: delete), or did they merely type it in (the link's role: actor)?"

_KEPT_BY_LAW = words.listed(
    """
    invoice bill billing payment payout payroll payslip salary receipt tax vat ledger journal accounting refund
    chargeback charge dunning transaction remittance disbursement donation transfer voucher
    rechnung zahlung gutschrift beleg buchung
    """
)
_KEPT_BY_LAW_TOGETHER = (frozenset({"credit", "note"}), frozenset({"debit", "note"}), frozenset({"bank", "statement"}))
_PROOF = words.listed("contract consent agreement mandate optin signature vertrag einwilligung")
_BOUGHT = words.listed("order sale purchase booking reservation subscription membership rental cart")
_BOOKED = words.listed("tax vat invoice receipt fiscal ust mwst")
_DEEDS = words.listed("audit trail changelog auditlog")
_CONTENT = words.listed("comment review reply answer remark testimonial attachment rating reaction feedback")
_OF_ITS_KIND = words.listed("method setting preference provider type status template gateway")


def reserved(table: Table, links: Sequence[Link], *, is_ones_own: bool) -> str | None:
    """What a person has to decide about the rows of somebody, if anything. `is_ones_own`: all above is theirs, too."""
    said = words.words(table.name.name)
    if told := _by_law(table, said):
        return told
    if said[-1:] == ("log",) or set(said) & _DEEDS:
        return DEEDS
    if said[-1:] and said[-1] in _CONTENT and not is_ones_own and not _is_on_its_own(table, said, links):
        return CONTENT
    owners = [link for link in links if link.is_person and link.is_owner]
    if owners and all(words.is_created(words.meant_by(link.place)) for link in owners):
        return CREATED
    return None


def _by_law(table: Table, said: tuple[str, ...]) -> str | None:
    if said[-1:] and said[-1] in _OF_ITS_KIND:
        return None
    if set(said) & _KEPT_BY_LAW or any(each <= set(said) for each in _KEPT_BY_LAW_TOGETHER):
        return LAW
    if set(said) & _PROOF:
        return PROOF
    is_booked = any(set(words.words(column)) & _BOOKED for column in table.columns)
    return LAW if set(said) & _BOUGHT and is_booked else None


def _is_on_its_own(table: Table, said: tuple[str, ...], links: Sequence[Link]) -> bool:
    """A file that somebody attached to nothing that we see."""
    if said[-1] != "attachment" or any(not link.is_person for link in links):
        return False
    known = {column for link in links for column in link.place.columns} | set(table.primary_key)
    return not any(words.meant(name) != words.words(name) for name in table.columns if name not in known)
