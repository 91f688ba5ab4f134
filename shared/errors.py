"""Everything that can go wrong, in one tree, each with what happened, where, and what to do next.

    SuiteError
    ├── Misuse                      the caller must change something; never retried
    │   ├── SettingMissing          an environment variable or flag that is not set
    │   ├── SettingInvalid          one that cannot be used as it is
    │   ├── UnfitValue              a person's value that is none of its column's type
    │   └── PlanMissing             no data map has been approved
    ├── Refused                     the answer is no; asking again gives the same answer
    │   ├── AccessDenied            this role or password may not do this
    │   │   └── PasswordRefused     this password opens nothing, or nothing any more
    │   ├── CatalogueDrift          the database is no longer what the plan was compiled for
    │   ├── ForeignSchema           schema gdpr is not one that this program can work with
    │   └── LedgerBroken            the ledger is not what it was; nothing more is signed
    │       ├── LedgerBehind        the database has less than what was anchored: a backup was restored
    │       ├── LedgerForked        it has something else than what was anchored
    │       ├── AnchorMissing       what was anchored is no longer where it was
    │       ├── BundlesUnusable     entries that were anchored cannot be read where they were laid
    │       ├── EntryContradicted   an event that was anchored stands here with other words
    │       ├── EpochTaken          another unit has begun the epoch that this one was to begin
    │       └── RestorationUnfounded  entries were taken over from outside that nobody has signed
    └── StoreFault                  a store did not do its part
        ├── StoreUnavailable        it cannot be reached, or broke off; a retry may cure it
        ├── StoreBusy               a lock, a slot or a time limit was not to be had; a retry may cure it
        ├── StoreMisconfigured      it answers, but not as agreed (no TLS, no such database)
        └── SchemaOutdated          it has not had the migrations that this code stands on

A sentence of ours names ids, hosts, roles and tables, never a person's value, a password or a connection string.
What a driver said stays inside: its text may quote all three.
"""

from __future__ import annotations

from typing import ClassVar


class SuiteError(Exception):
    """The root. `retryable` is the only thing that callers branch on."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """One sentence: what · where · what to do next."""
        place = f" at {self.where}" if self.where else ""
        advice = f": {self.remedy}" if self.remedy else ""
        text = f"{self.what}{place}{advice}"
        return text if text.endswith("?") else f"{text}."


class Misuse(SuiteError):
    code = "misuse"


class SettingMissing(Misuse):
    code = "setting_missing"


class SettingInvalid(Misuse):
    code = "setting_invalid"


class UnfitValue(Misuse):
    code = "unfit_value"


class PlanMissing(Misuse):
    code = "plan_missing"


class Refused(SuiteError):
    code = "refused"


class CatalogueDrift(Refused):
    code = "catalogue_drift"


class AccessDenied(Refused):
    code = "access_denied"


class PasswordRefused(AccessDenied):
    """An address that lies in an object is read again for this, and for nothing else."""

    code = "password_refused"


class ForeignSchema(Refused):
    code = "foreign_schema"


class LedgerBroken(Refused):
    code = "ledger_broken"


class LedgerBehind(LedgerBroken):
    code = "ledger_behind"


class LedgerForked(LedgerBroken):
    code = "ledger_forked"


class AnchorMissing(LedgerBroken):
    code = "anchor_missing"


class BundlesUnusable(LedgerBroken):
    code = "bundles_unusable"


class EntryContradicted(LedgerBroken):
    code = "entry_contradicted"


class EpochTaken(LedgerBroken):
    code = "epoch_taken"


class RestorationUnfounded(LedgerBroken):
    code = "restoration_unfounded"


class StoreFault(SuiteError):
    code = "store_fault"


class StoreUnavailable(StoreFault):
    code = "store_unavailable"
    retryable = True


class StoreBusy(StoreFault):
    code = "store_busy"
    retryable = True


class StoreMisconfigured(StoreFault):
    code = "store_misconfigured"


class SchemaOutdated(StoreFault):
    code = "schema_outdated"
