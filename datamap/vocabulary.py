"""The words that a map may use for what data is, why it is kept, and where it comes from: pinned lists, offline.

Categories, uses and subjects are fideslang's; purposes, bases, origins, safeguards, rights and justifications are
W3C DPV's. `terms/*.json` says which version, under which licence.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, get_args

Kind = Literal["category", "use", "subject", "purpose", "origin", "legal_basis", "safeguard", "right", "justification"]
_IN_THE_CORE = ("purpose", "origin")  # of DPV; its other kinds are in the extension for the GDPR


@dataclass(frozen=True, kw_only=True)
class Term:
    """One word of a list."""

    kind: Kind
    key: str
    label: str
    parents: tuple[str, ...] = ()
    prefix: str | None = None  # dpv, eu-gdpr; fideslang has no IRIs
    iri: str | None = None

    @property
    def spellings(self) -> Iterator[str]:
        """How it may be written: `A6-1-b`, `eu-gdpr:A6-1-b`, or its IRI."""
        yield self.key
        if self.iri:
            yield f"{self.prefix}:{self.key}"
            yield self.iri

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """All lists. `exceptions` are those of Art. 17(3), each with the justification that DPV has for it."""

    terms: Mapping[Kind, Mapping[str, Term]]
    exceptions: Mapping[str, Term]
    versions: Mapping[str, str]
    attributions: tuple[str, ...]
    special: tuple[str, ...]
    replaced: Mapping[str, str]
    basis_rights: Mapping[str, tuple[str, ...]]

    @staticmethod
    @functools.cache
    def load() -> Vocabulary:
        """The lists, read when first asked for."""
        return _loaded(_read("fideslang"), _read("dpv"))

    @property
    def categories(self) -> Mapping[str, Term]:
        return self.terms["category"]

    @property
    def uses(self) -> Mapping[str, Term]:
        return self.terms["use"]

    @property
    def subjects(self) -> Mapping[str, Term]:
        return self.terms["subject"]

    @property
    def purposes(self) -> Mapping[str, Term]:
        return self.terms["purpose"]

    @property
    def origins(self) -> Mapping[str, Term]:
        return self.terms["origin"]

    @property
    def legal_bases(self) -> Mapping[str, Term]:
        """Of Art. 6(1), and of Art. 9(2) for special categories."""
        return self.terms["legal_basis"]

    @property
    def safeguards(self) -> Mapping[str, Term]:
        """What may protect data in a third country."""
        return self.terms["safeguard"]

    @property
    def rights(self) -> Mapping[str, Term]:
        return self.terms["right"]

    @property
    def justifications(self) -> Mapping[str, Term]:
        """Reasons to delay, refuse or demand, by Art. 12 and Art. 17."""
        return self.terms["justification"]

    def term(self, kind: Kind, text: str) -> Term | None:
        """The term that a text names, by its key, with its prefix or by its IRI."""
        return self._spelled[kind].get(text.strip())

    def nearest(self, kind: Kind, text: str) -> str | None:
        """The key that was meant, if one is near enough."""
        if text in self.replaced:
            return self.replaced[text]
        known = self._squashed[kind]
        word = _squashed(text)
        if word in known:
            return known[word]
        if by_end := self._by_end(kind, text):
            return by_end
        found = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
        return known[found[0]] if found else None

    def ancestors(self, term: Term) -> Iterator[Term]:
        """The broader terms, nearest first; each once."""
        seen = {term.key}
        waiting = list(term.parents)
        while waiting:
            key = waiting.pop(0)
            if key not in seen:
                seen.add(key)
                yield self.terms[term.kind][key]
                waiting += self.terms[term.kind][key].parents

    def is_special(self, category: str) -> bool:
        """Whether a category is one of Art. 9: health, biometry, genes, origin, belief, opinion, sexual orientation.

        fideslang has no key for trade union membership.
        """
        return any(category == key or category.startswith(f"{key}.") for key in self.special)

    def rights_by(self, basis: str) -> tuple[Term, ...]:
        """The rights that follow from a basis of Art. 6(1). DPV is silent on Art. 9, and on A17 for A6-1-c and -e."""
        term = self.term("legal_basis", basis)
        return tuple(self.rights[key] for key in self.basis_rights.get(term.key, ())) if term else ()

    @functools.cached_property
    def _spelled(self) -> Mapping[Kind, Mapping[str, Term]]:
        return {
            kind: {spelling: term for term in terms.values() for spelling in term.spellings}
            for kind, terms in self.terms.items()
        }

    @functools.cached_property
    def _squashed(self) -> Mapping[Kind, Mapping[str, str]]:
        """For each kind the key of each word, written without case and punctuation. A key goes before a label."""
        return {
            kind: {_squashed(t.label): t.key for t in terms.values()}
            | {_squashed(t.key): t.key for t in terms.values()}
            for kind, terms in self.terms.items()
        }

    def _by_end(self, kind: Kind, text: str) -> str | None:
        """`contact.email`, or the longer keys of fideslang 1, by as much of the end as only one key has."""
        parts = text.split(".")
        for start in range(len(parts)):
            end = "." + ".".join(parts[start:])
            found = [key for key in self.terms[kind] if key.endswith(end)]
            if found:
                return found[0] if len(found) == 1 else None
        return None


def _squashed(text: str) -> str:
    """`Art. 6(1)(b)` and `eu-gdpr:A6-1-b` are one."""
    word = text.lower().rpartition("#")[2].rpartition(":")[2]
    word = re.sub(r"^\s*(?:article|art\.?|a)?\s*(?=\d)", "a", word)
    return re.sub(r"[^a-z0-9]", "", word)


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        resources.files("datamap").joinpath("terms", f"{name}.json").read_text("utf-8")
    )
    return document


def _loaded(fideslang: Mapping[str, Any], dpv: Mapping[str, Any]) -> Vocabulary:
    terms: dict[Kind, dict[str, Term]] = {
        kind: {term.key: term for term in (_of_fides(kind, fideslang) if kind in fideslang else _of_dpv(kind, dpv))}
        for kind in get_args(Kind)
    }
    return Vocabulary(
        terms=terms,
        exceptions={code: terms["justification"][key] for code, key in dpv["exceptions"].items()},
        versions={each["name"]: each["version"] for each in (fideslang, dpv)},
        attributions=(fideslang["attribution"], dpv["attribution"]),
        special=tuple(fideslang["special"]),
        replaced=fideslang["replaced"],
        basis_rights={basis: tuple(keys) for basis, keys in dpv["rights_by_basis"].items()},
    )


def _of_fides(kind: Kind, document: Mapping[str, Any]) -> Iterator[Term]:
    """A key of fideslang tells its parent itself."""
    for key, label in document[kind].items():
        parent = key.rpartition(".")[0]
        yield Term(kind=kind, key=key, label=label, parents=(parent,) if parent else ())


def _of_dpv(kind: Kind, document: Mapping[str, Any]) -> Iterator[Term]:
    prefix = "dpv" if kind in _IN_THE_CORE else "eu-gdpr"
    for key, (label, *parents) in document[kind].items():
        iri = document["namespaces"][prefix] + key
        yield Term(kind=kind, key=key, label=label, parents=tuple(parents), prefix=prefix, iri=iri)
