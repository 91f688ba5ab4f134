"""Every page in a real browser: on a phone, on a wide screen, in the dark and in print."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.samples import PAGES

PHONE, SCREEN = (360, 740), (1280, 900)
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")

# Each function of the page answers with what is wrong.
UNNAMED = """() => [...document.querySelectorAll('svg')].filter(svg => {
  if (svg.getAttribute('aria-hidden') === 'true') return false;
  const named = (svg.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id));
  const isNamed = named.length === 2 && named.every(each => each && each.textContent.trim());
  return !(svg.getAttribute('role') === 'img' && isNamed
    && svg.querySelector('title') === named[0] && svg.querySelector('desc') === named[1]);
}).map(svg => svg.outerHTML.slice(0, 200))"""
TABLES = """() => [...document.querySelectorAll('table')].filter(table =>
  !table.caption || !table.caption.textContent.trim()
  || [...table.tHead.querySelectorAll('th')].some(head => head.scope !== 'col' || !head.textContent.trim())
  || [...table.querySelectorAll('tbody tr, tfoot tr')].some(row => row.cells[0].scope !== 'row')
).map(table => table.outerHTML.slice(0, 200))"""
IDS = """() => { const all = [...document.querySelectorAll('[id]')].map(each => each.id);
  return all.filter((id, place) => all.indexOf(id) !== place) }"""
# Of each text that is shown: how its colour stands out from what is behind it, by WCAG 2.
CONTRAST = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => parts(colour).slice(0, 3).map(part => {
    part /= 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = each => {
    for (; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (!(parts(colour)[3] === 0)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), wrong = [];
  for (let text; (text = walker.nextNode());) {
    const each = text.parentElement, style = getComputedStyle(each);
    if (!text.textContent.trim() || !each.getClientRects().length || each.closest('title, desc')) continue;
    const ink = each.closest('svg') ? style.fill : style.color;
    const [a, b] = [light(ink), light(behind(each))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) wrong.push(`${text.textContent.trim().slice(0, 40)}: ${ink} on ${behind(each)}`);
  }
  return wrong;
}"""


@dataclass
class Seen:
    """A page that is open, with what it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def is_wider_than_its_window(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages as files, as somebody gets them."""
    made = tmp_path_factory.mktemp("pages")
    for name, shown in PAGES.items():
        (made / f"{name}.html").write_text(shown(), encoding="utf-8")
    return made


@contextlib.contextmanager
def opened(browser: Browser, file: Path, size: tuple[int, int] = SCREEN, **options: Any) -> Iterator[Seen]:
    """The page from its file; whatever else it asks for is told, and not given."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    seen = Seen(page=context.new_page())
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))

    def answered(route: Route) -> None:
        if route.request.url == file.as_uri():
            route.continue_()
        else:
            seen.asked.append(route.request.url)
            route.abort()

    context.route("**/*", answered)
    try:
        seen.page.goto(file.as_uri(), wait_until="load")
        yield seen
    finally:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_its_window(browser: Browser, folder: Path, name: str) -> None:
    with opened(browser, folder / f"{name}.html") as seen:
        for width, height in (SCREEN, PHONE):
            seen.page.set_viewport_size({"width": width, "height": height})
            assert not seen.is_wider_than_its_window(), width


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_and_says_nothing(browser: Browser, folder: Path, name: str) -> None:
    with opened(browser, folder / f"{name}.html") as seen:
        assert (seen.asked, seen.said) == ([], [])
        assert seen.page.title() != "run"
        assert seen.page.locator("script, img, iframe, object").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_headings_lead_through_a_page_and_everything_has_its_name(browser: Browser, folder: Path, name: str) -> None:
    with opened(browser, folder / f"{name}.html") as seen:
        levels = [
            int(tag[1]) for tag in seen.page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(h => h.tagName)")
        ]
        assert (levels[0], levels.count(1)) == (1, 1)
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert seen.page.evaluate("document.documentElement.lang") == "en"
        assert seen.page.get_by_role("main").count() == 1
        for check in (UNNAMED, TABLES, IDS):
            assert seen.page.evaluate(check) == []
        sections = seen.page.locator("section")
        assert seen.page.get_by_role("region").count() == sections.count() > 0  # each with the name of its heading


@pytest.mark.parametrize("name", PAGES)
def test_every_text_stands_out_from_what_is_behind_it(browser: Browser, folder: Path, name: str) -> None:
    with opened(browser, folder / f"{name}.html") as seen:
        for scheme in SCHEMES:
            seen.page.emulate_media(color_scheme=scheme)
            assert seen.page.evaluate(CONTRAST) == [], scheme
            ground = seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == (scheme == "dark")


@pytest.mark.parametrize("name", PAGES)
def test_a_print_is_light_and_as_long_as_it_has_to_be(browser: Browser, folder: Path, name: str) -> None:
    with opened(browser, folder / f"{name}.html", (672, 950), color_scheme="dark") as seen:
        seen.page.emulate_media(media="print")
        assert seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        assert not seen.is_wider_than_its_window()
        assert seen.page.evaluate(CONTRAST) == []
        written = seen.page.pdf(prefer_css_page_size=True)
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", written)) <= 20


def test_a_phone_shows_the_narrow_picture_and_a_screen_the_wide_one(browser: Browser, folder: Path) -> None:
    for size, shown in ((PHONE, "narrow"), (SCREEN, "wide")):
        with opened(browser, folder / "requests.html", size) as seen:
            visible = seen.page.locator("svg.plot:visible")
            assert visible.count() == 1
            assert shown in (visible.get_attribute("class") or "")
            letters = visible.locator("text").first.evaluate("each => each.getBoundingClientRect().height")
            assert letters > 10  # pixels
            picture = seen.page.get_by_role("img", name="Days from receipt to answer")
            assert picture.count() == 1


def test_what_is_drawn_is_told_in_a_table_as_well(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "requests.html") as seen:
        told = seen.page.locator("#times table")
        assert told.locator("thead").inner_text().split("\t")[1:3] == ["On time", "Late"]
        assert told.locator("tbody tr").count() == 12
        assert "came late" in seen.page.locator("#times > p").inner_text()


def test_what_is_overdue_is_told_by_words_and_not_by_colour_alone(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "requests.html") as seen:
        alarms = seen.page.locator("#owed .alarm").all_inner_texts()
        assert len(alarms) == 5
        assert all(each.endswith("over") for each in alarms)
        assert seen.page.locator("#glance .alarm dt").inner_text() == "Overdue"


def test_what_a_person_fills_is_framed_and_has_room_in_print(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "record with blanks.html") as seen:
        blanks = seen.page.locator(".blank")
        assert all(each.startswith("To be filled by") for each in blanks.all_inner_texts())
        frames = blanks.evaluate_all("all => all.map(each => getComputedStyle(each).borderTopStyle)")
        assert set(frames) == {"dashed"}
        before = blanks.first.evaluate("each => each.getBoundingClientRect().height")
        seen.page.emulate_media(media="print")
        assert blanks.first.evaluate("each => each.getBoundingClientRect().height") > before


def test_where_there_is_nothing_a_sentence_says_so(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "requests of nobody.html") as seen:
        text = seen.page.locator("main").inner_text()
        for sentence in (
            "No request came in this period. Nothing is open today.",
            "No request in this period.",
            "Nothing is owed to anybody today.",
            "No request of this period was extended.",
            "No request of this period was refused.",
            "No erasure in this period has told the ledger of any row.",
            "No checkpoint lies outside yet",
        ):
            assert sentence in text
        assert seen.page.locator("table").count() == 0
