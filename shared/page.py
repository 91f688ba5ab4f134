"""A page as one file: its style stands in it, nothing is fetched from anywhere, and nothing runs.

Its own policy forbids both, so a text that were markup after all could not do anything either.
"""

from __future__ import annotations

import functools
from pathlib import Path

from shared.page_markup import Content, Markup, element

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_STYLE = Path(__file__).with_suffix(".css")


def page(*content: Content, title: str, language: str = "en") -> str:
    """The whole document, in UTF-8 once it is written."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("link", rel="icon", href="data:,"),  # or a browser asks the place that the page is from
        element("style", _style()),
    )
    body = element("body", element("main", *content))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang=language)}\n"


@functools.cache
def _style() -> Markup:
    return Markup(_STYLE.read_text(encoding="utf-8"))
