"""The picture of answers: a mark for each, where it belongs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.audit_logging.reports.figures import Days, Figures, Point, Span
from functions.audit_logging.reports.plot import Frame, legend, plots
from tests.browser.samples import EMPTY, full, period, report

SIZES = {"wide": (760, 320), "narrow": (340, 280)}

points = st.builds(
    Point,
    received_on=st.dates(date(2025, 12, 1), date(2026, 11, 30)),
    days=st.integers(0, 20_000),
    allowed=st.integers(0, 200),
    is_late=st.booleans(),
    number=st.integers(1, 500),
)


def drawn(figures: Figures) -> dict[str, str]:
    return dict(zip(SIZES, plots(report(figures)), strict=True))


def paths(picture: str, style: str) -> str:
    return "".join(re.findall(rf'<path d="([^"]+)" class="{style}[^"]*"></path>', picture))


def starts(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", path)]


@given(st.lists(points, min_size=1, max_size=40))
def test_every_answer_has_one_mark_within_the_picture(given_: list[Point]) -> None:
    figures = replace(EMPTY, points=tuple(given_), all_days=Days(half=1, longest=1))
    for name, picture in drawn(figures).items():
        width, height = SIZES[name]
        on_time, late = starts(paths(picture, "dot")), starts(paths(picture, "late"))
        assert len(late) == sum(point.is_late for point in given_)
        assert len(on_time) == len(given_) - len(late)
        assert len(starts(paths(picture, "due"))) == len({(point.received_on, point.allowed) for point in given_})
        for x, y in [*on_time, *late, *starts(paths(picture, "due")), *starts(paths(picture, "base"))]:
            assert 0 <= x <= width
            assert 0 <= y <= height


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 364), st.integers(0, 364))
def test_longer_is_higher_and_later_is_further_right(days: int, more: int, on: int, later: int) -> None:
    frame = Frame(name="x", width=760, height=320, most_labels=12, period=period(), longest=max(31, days, more))
    assert (frame.y(days) > frame.y(more)) == (days < more)
    first = period().since.first
    assert (frame.x(first + timedelta(days=on)) < frame.x(first + timedelta(days=later))) == (on < later)
    assert frame.y(0) == 280
    assert frame.most_days >= frame.longest
    assert frame.most_days / frame.step <= 6 or frame.step == frame.longest


def test_a_span_is_a_line_with_its_middle_and_is_late_where_one_answer_was() -> None:
    spans = tuple(
        Span(since=since, shortest=1, half=9, longest=40, allowed=31, number=5, late=late)
        for since, late in ((date(2025, 11, 29), 0), (date(2026, 1, 3), 2))
    )
    for picture in drawn(replace(EMPTY, unit="week", spans=spans, all_days=Days(half=9, longest=40))).values():
        assert paths(picture, "span").count("V") == 2
        assert len(starts(paths(picture, "dot"))) == 2
        assert len(starts(paths(picture, "late"))) == 1
        assert min(x for x, _ in starts(paths(picture, "span"))) == 34  # a week may begin before the period


@pytest.mark.parametrize("months", [1, 2, 11, 12, 13, 36, 120])
def test_months_are_named_as_far_as_there_is_room(months: int) -> None:
    wide, narrow = plots(report(full(1, period(months)), period(months)))
    for picture, most in ((wide, 12), (narrow, 5)):
        named = re.findall(r'class="axis">([A-Z][a-z]{2})<', picture)
        assert 1 <= len(named) <= most
        assert re.search(r'class="axis">20\d\d<', picture)


def test_the_legend_says_what_is_drawn() -> None:
    assert "answered late" in legend(full())
    assert "of one month" in legend(replace(full(), unit="month"))
