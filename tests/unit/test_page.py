"""Pages: a text stays a text, and nothing in a page comes from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.page import POLICY, page
from shared.page_markup import Markup, breakable, element, escaped
from shared.page_section import facts, none, section
from shared.page_table import numbers, table, texts

HOSTILE = "<script src=//evil.example>alert(1)</script>\"'><img onerror=x>&lt;"


class Read(HTMLParser):
    """What a reader of HTML finds: texts, and elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


printable = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))


@given(printable, printable)
def test_any_text_is_read_back_as_it_was(text: str, value: str) -> None:
    read = Read(element("p", text, title=value))
    assert "".join(read.texts) == text
    assert read.elements == [("p", {"title": value})]


@given(st.text())
def test_whatever_is_no_character_of_html_is_replaced(text: str) -> None:
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", escaped(text))
    escaped(text).encode()


def test_markup_stays_and_texts_in_it_are_escaped_once() -> None:
    assert element("p", element("b", "a < b"), " & c") == "<p><b>a &lt; b</b> &amp; c</p>"
    assert escaped(Markup("<wbr>")) == "<wbr>"


def test_attributes_are_named_as_html_names_them_and_left_out_where_there_is_nothing() -> None:
    made = element("td", 3, class_="number", aria_label=None, hidden=False, draggable=True, data_x=0)
    assert made == '<td class="number" draggable data-x="0">3</td>'


def test_a_long_name_may_break_behind_its_joints_and_reads_the_same() -> None:
    assert breakable("app.a_b") == "app.<wbr>a_<wbr>b"
    assert "".join(Read(breakable(HOSTILE)).texts) == HOSTILE


def test_a_page_fetches_nothing_and_runs_nothing() -> None:
    made = page(element("h1", HOSTILE), title=HOSTILE)
    found = Read(made)
    assert made.startswith("<!DOCTYPE html>\n<html lang=")
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}) in found.elements
    assert POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert not {name for name, _ in found.elements} & {"script", "img", "iframe", "object", "base", "form"}
    assert [each for each in found.elements if each[0] == "link"] == [("link", {"rel": "icon", "href": "data:,"})]
    style = made.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_a_table_names_its_columns_and_rows() -> None:
    made = table("Fruit", [*texts("Kind"), *numbers("Number")], [["apple", 12345], ["pear", None]], total=["All", 0])
    assert made == (
        '<div class="table"><table><caption>Fruit</caption>'
        '<thead><tr><th scope="col">Kind</th><th scope="col" class="number">Number</th></tr></thead>'
        '<tbody><tr><th scope="row">apple</th><td class="number">12,345</td></tr>'
        '<tr><th scope="row">pear</th><td class="number zero">\N{EN DASH}</td></tr></tbody>'
        '<tfoot><tr><th scope="row">All</th><td class="number zero">0</td></tr></tfoot></table></div>'
    )


def test_a_row_of_another_width_is_a_fault() -> None:
    with pytest.raises(ValueError, match="shorter"):
        table("x", texts("a", "b"), [["c"]])


def test_a_section_is_named_by_its_heading() -> None:
    assert section("a", "B", none("Nothing.")) == (
        '<section id="a" aria-labelledby="a-heading"><h2 id="a-heading">B</h2><p class="none">Nothing.</p></section>'
    )
    assert facts([("a", "b")]) == '<dl class="facts"><div><dt>a</dt><dd>b</dd></div></dl>'
