"""Parts of a page: with a heading that names them, and facts in two columns."""

from __future__ import annotations

from collections.abc import Sequence

from shared.page_markup import Content, Markup, element


def section(name: str, heading: Content, *content: Content) -> Markup:
    """A part of the page; `name` is where a link to it leads."""
    titled = element("h2", heading, id=f"{name}-heading")
    return element("section", titled, *content, id=name, aria_labelledby=f"{name}-heading")


def none(sentence: str) -> Markup:
    """Instead of a table without rows."""
    return element("p", sentence, class_="none")


def facts(pairs: Sequence[tuple[Content, Content]]) -> Markup:
    """Names, each with what is to be said of it."""
    drawn = [element("div", element("dt", name), element("dd", value)) for name, value in pairs]
    return element("dl", drawn, class_="facts")
