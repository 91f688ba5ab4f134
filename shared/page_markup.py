"""Markup in which a text is escaped because it is a text: what has to be said is that something is markup.

element("p", "Müller & Söhne", class_="lead")     ->  <p class="lead">Müller &amp; Söhne</p>
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

# What HTML cannot hold: control characters, halves of characters.
_BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EMPTY = frozenset({"br", "hr", "link", "meta", "wbr"})  # elements that hold nothing and have no end


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Content: TypeAlias = "str | int | Iterable[Content] | None"  # a Markup stays as it is, whatever else is escaped
Attribute: TypeAlias = "str | int | float | bool | None"


def escaped(content: Content) -> Markup:
    """What stands in a page for it."""
    if content is None:
        return Markup()
    if isinstance(content, Markup):
        return content
    if isinstance(content, str | int):
        return Markup(html.escape(_BROKEN.sub("\ufffd", str(content)), quote=True))
    return Markup("".join(map(escaped, content)))


def element(name: str, /, *content: Content, **attributes: Attribute) -> Markup:
    """One element. `class_` is class and `aria_label` aria-label; an attribute that is None or False is left out."""
    shown = "".join(
        f" {_name(key)}" + ("" if value is True else f'="{escaped(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _EMPTY:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{escaped(content)}</{name}>")


def breakable(text: str) -> Markup:
    """A long word that may go on in the next line behind its points, hyphens and slashes."""
    parts = re.split(r"(?<=[-._/:])", text)
    return Markup(element("wbr").join(map(escaped, parts)))


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
