"""The one form in which values of an identity are compared: `Ann@…` and `ann@…`, or `0170 123` and `+49170123`.

One expression of immutable functions brings both sides to it, so that an index on that expression serves. Of what is
no telephone number there is no such form: it is null, and names nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from datamap import model
from datamap.names import literal

_BETWEEN = r"[][\s./\u00a0\u2000-\u2015\u2028-\u202f\u205f-\u206f\u2212\u3000\ufeff-]"  # spaces and dashes of any kind
_ZERO_TO_DROP = r"^\(?(\+|00)\(?([1-9][0-9]{0,2})\)?\(0\)"  # +49 (0) 170: to be dialled at home only
_WITH_CODE = r"+\2"
_NUMBER = r"^\+[1-9][0-9]{6,14}$"  # E.164


@dataclass(frozen=True, kw_only=True)
class Form:
    """How values are compared: as they are, without capitals, or as telephone numbers of a country or of any other."""

    match: Literal["exact", "folded", "phone"] = "exact"
    home: str = ""
    has_leading_zero: bool = True

    @classmethod
    def of(cls, identity: model.Identity) -> Form:
        if isinstance(identity.match, model.Phone):
            return cls(match="phone", home=identity.match.phone, has_leading_zero=identity.match.leading_zero)
        return cls(match=identity.match)

    @property
    def is_exact(self) -> bool:
        return self.match == "exact"

    @property
    def is_partial(self) -> bool:
        """Whether some texts that are not empty have no such form."""
        return self.match == "phone"

    def sql(self, value: str, collation: str = "") -> str:
        """An expression in its form; `collation` is for where that of the other side is another one."""
        if self.match == "phone":
            return self._number(value)
        return f"lower({value}::text{collation})" if self.match == "folded" else value

    def _number(self, value: str) -> str:
        national = "^0" if self.has_leading_zero else "^(?=[0-9])"
        found = f'{value}::text collate "C"'
        found = _replaced(found, _BETWEEN, "", everywhere=True)
        found = f"translate({_replaced(found, _ZERO_TO_DROP, _WITH_CODE)}, '()', '')"
        found = _replaced(_replaced(found, "^00", "+"), national, self.home)
        return f"regexp_substr({found}, {_text(_NUMBER)})"


EXACT, FOLDED = Form(), Form(match="folded")


def _replaced(value: str, pattern: str, by: str, *, everywhere: bool = False) -> str:
    return f"regexp_replace({value}, {_text(pattern)}, {_text(by)}{', ' + _text('g') if everywhere else ''})"


def _text(value: str) -> str:
    return literal(value).strip()
