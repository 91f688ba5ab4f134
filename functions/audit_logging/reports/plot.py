"""The days that answers took, as a picture: one mark for an answer, and a dash where its last day was.

Each kind of mark is one path, so that a thousand answers are some kilobytes. It is drawn twice, since letters that are
read on a wide page are too small on a phone: the style shows one of the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from functions.audit_logging.reports import sentences
from functions.audit_logging.reports.data import RequestReport
from functions.audit_logging.reports.figures import Figures
from functions.audit_logging.reports.period import Period
from shared.page_markup import Markup, element

_STEPS = (10, 30, 60, 90, 180, 360, 720, 1800, 3600)  # days between two lines
_USUAL_MONTH = 31


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where a date and a number of days lie in the picture."""

    name: str
    width: int
    height: int
    most_labels: int
    period: Period
    longest: int
    left: int = 34
    right: int = 10
    top: int = 28
    bottom: int = 40

    @property
    def step(self) -> int:
        return next((step for step in _STEPS if self.longest / step <= 6), self.longest)

    @property
    def most_days(self) -> int:
        """Up to the line above the longest."""
        return -(-self.longest // self.step) * self.step

    def x(self, on: date) -> float:
        first, behind = self.period.since.first, self.period.until.plus(1).first
        part = (on - first).days / (behind - first).days
        return self.left + part * (self.width - self.left - self.right)

    def y(self, days: int) -> float:
        return self.height - self.bottom - days / self.most_days * (self.height - self.top - self.bottom)


def plots(report: RequestReport) -> list[Markup]:
    """The wide one and the narrow one."""
    found, period = report.figures, report.period
    longest = max(_USUAL_MONTH, *_heights(found))
    wide = Frame(name="wide", width=760, height=320, most_labels=12, period=period, longest=longest)
    narrow = Frame(name="narrow", width=340, height=280, most_labels=5, period=period, longest=longest)
    return [_plot(frame, found) for frame in (wide, narrow)]


def legend(found: Figures) -> Markup:
    """What each mark means, in words."""
    on_time = "answers to the requests of one {}: the line from the shortest to the longest, the dot in the middle"
    first = on_time.format(found.unit) if found.unit else "answered on time; a larger dot is several answers"
    late = f"the longest of a {found.unit} in which one was late" if found.unit else "answered late"
    marks = [
        ("M8 8h0", "dot many", first),
        (_triangle(8, 8, 6), "late", late),
        ("M1 8h14", "due", "the last day for an answer, with pauses and extensions"),
    ]
    drawn = [
        element("li", element("svg", _path(mark, style), viewBox="0 0 16 16", class_="mark", aria_hidden="true"), said)
        for mark, style, said in marks
    ]
    return element("ul", drawn, class_="legend")


def _heights(found: Figures) -> Iterator[int]:
    yield from (max(each.days, each.allowed) for each in found.points)
    yield from (max(each.longest, each.allowed) for each in found.spans)
    yield 0


def _plot(frame: Frame, found: Figures) -> Markup:
    names = [f"plot-{frame.name}-{part}" for part in ("title", "desc")]
    return element(
        "svg",
        element("title", "Days from receipt to answer", id=names[0]),
        element("desc", sentences.described(found), id=names[1]),
        _grid(frame),
        _months(frame),
        _marks(frame, found),
        viewBox=f"0 0 {frame.width} {frame.height}",
        class_=f"plot {frame.name}",
        role="img",
        aria_labelledby=" ".join(names),
    )


def _grid(frame: Frame) -> list[Markup]:
    """A line for each step, with its days before it."""
    drawn = [element("text", "days", x=frame.left - 6, y=frame.top - 14, class_="axis end")]
    for days in range(0, frame.most_days + 1, frame.step):
        height = _n(frame.y(days))
        drawn.append(_path(f"M{frame.left} {height}H{frame.width - frame.right}", "base" if not days else "grid"))
        drawn.append(element("text", f"{days:,}", x=frame.left - 6, y=_n(frame.y(days) + 4), class_="axis end"))
    return drawn


def _months(frame: Frame) -> list[Markup]:
    """The months below, as many as there is room for, and the year where it begins."""
    months = frame.period.months
    step = next(step for step in (1, 2, 3, 6, 12, 24) if len(months) / step <= frame.most_labels)
    base = frame.height - frame.bottom
    drawn, year = [], 0
    for month in months[::step]:
        left = _n(frame.x(month.first))
        drawn.append(_path(f"M{left} {base}v5", "base"))
        drawn.append(element("text", f"{month.first:%b}", x=left, y=base + 17, class_="axis"))
        if month.first.year != year:
            year = month.first.year
            drawn.append(element("text", year, x=left, y=base + 32, class_="axis"))
    return drawn


def _marks(frame: Frame, found: Figures) -> list[Markup]:
    if found.unit:
        places = [(_begin(frame, each.since), each) for each in found.spans]
        lines = (f"M{_n(x)} {_n(frame.y(each.shortest))}V{_n(frame.y(each.longest))}" for x, each in places)
        dots = (f"M{_n(x)} {_n(frame.y(each.half))}h0" for x, each in places)
        late = (_triangle(x, frame.y(each.longest), 5) for x, each in places if each.late)
        dues = {(x, frame.y(each.allowed)) for x, each in places}
        return [_path(lines, "span"), _dues(dues), _path(dots, "dot one"), _path(late, "late")]
    dues = {(frame.x(each.received_on), frame.y(each.allowed)) for each in found.points}
    return [_dues(dues), *_dots(frame, found)]


def _dots(frame: Frame, found: Figures) -> list[Markup]:
    drawn = []
    for style, least, most, size in (("one", 1, 2, 4), ("some", 2, 10, 5), ("many", 10, 10**9, 7)):
        of_size = [each for each in found.points if least <= each.number < most]
        places = [(frame.x(each.received_on), frame.y(each.days), each.is_late) for each in of_size]
        drawn.append(_path((f"M{_n(x)} {_n(y)}h0" for x, y, is_late in places if not is_late), f"dot {style}"))
        drawn.append(_path((_triangle(x, y, size) for x, y, is_late in places if is_late), "late"))
    return drawn


def _dues(places: Iterable[tuple[float, float]]) -> Markup:
    return _path((f"M{_n(x - 2.5)} {_n(y)}h5" for x, y in sorted(places)), "due")


def _begin(frame: Frame, since: date) -> float:
    """A week may begin before the period does."""
    return frame.x(max(since, frame.period.since.first))


def _triangle(x: float, y: float, size: float) -> str:
    return f"M{_n(x)} {_n(y - size)}l{_n(size)} {_n(1.7 * size)}h{_n(-2 * size)}z"


def _path(parts: str | Iterable[str], style: str) -> Markup:
    drawn = parts if isinstance(parts, str) else "".join(parts)
    return element("path", d=drawn, class_=style) if drawn else Markup()


def _n(number: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{number:.1f}".removesuffix(".0")
