"""A monitor's windows as pictures: the heat map, quality over time, what the newest window says."""

import itertools
from collections.abc import Sequence

from airside.core.record import Record
from airside.monitoring.records import ColumnFinding, Window
from airside.server.web import format as words
from airside.server.web.drawing.heat import Heat, heat
from airside.server.web.page import address
from airside.server.web.pages.curves import CurveData, Line, Mark, told

SHOWN = 60
"""Windows that a page asks for."""
BASES = (("realised", "realised, from labels"), ("estimated", "estimated, without labels"))


class HeatCard(Record):
    """A heat map with the pages that its columns lead to."""

    heat: Heat
    links: tuple[str, ...]


class Pair(Record):
    """A cell of a distribution, then and now; widths in percent of the widest."""

    label: str
    then: float
    now: float
    then_width: float
    now_width: float
    is_new: bool = False


def label(window: Window) -> str:
    """What a window is called: its delivery, or its day."""
    return window.delivery or words.day(window.from_at)


def heat_card(windows: Sequence[Window]) -> HeatCard | None:
    """The heat map of windows that come newest first; values are effects in units of the smallest that counts."""
    if not windows:
        return None
    ordered = list(reversed(windows))
    names = list(dict.fromkeys(finding.column for window in ordered for finding in window.columns))
    by_window = [{finding.column: finding for finding in window.columns} for window in ordered]
    rows = {name: [_relative(found.get(name)) for found in by_window] for name in names}
    links = tuple(address("/monitors/{}", one.monitor, window=one.window_id) for one in ordered)
    return HeatCard(heat=heat([label(window) for window in ordered], rows, 1.0), links=links)


def _relative(finding: ColumnFinding | None) -> float | None:
    if finding is None or finding.status == "error":
        return None
    return finding.effect / finding.effect_limit if finding.effect_limit > 0 else None


def measures(windows: Sequence[Window]) -> tuple[str, ...]:
    """The measures of which there are figures over all rows, those with labels first."""
    found = {
        (figure.basis != "realised", figure.measure) for one in windows for figure in one.figures if not figure.segment
    }
    return tuple(dict.fromkeys(measure for _, measure in sorted(found)))


def quality_curve(windows: Sequence[Window], measure: str, segment: str = "") -> CurveData | None:
    """A measure by window, realised and estimated, against the reference; a mark where another version answered."""
    ordered = list(reversed(windows))
    names = tuple(label(window) for window in ordered)
    x = tuple(float(window.sequence) for window in ordered)
    lines = [line for basis, text in BASES if (line := _line(ordered, measure, segment, basis, text)) is not None]
    if not lines:
        return None
    reference = _line(ordered, measure, segment, "reference", "reference")
    marks = tuple(
        Mark(x=float(now.sequence), text=f"v{now.version}")
        for before, now in itertools.pairwise(ordered)
        if now.version != before.version
    )
    return CurveData(
        x=x,
        x_words=names,
        x_name="window",
        lines=(*lines, *((reference,) if reference is not None else ())),
        marks=marks,
        n_points=sum(value is not None for line in lines for value in line.values),
        sentence=f"{measure.replace('_', ' ')}, " + told(lines[0], names),
    )


def _line(ordered: Sequence[Window], measure: str, segment: str, basis: str, text: str) -> Line | None:
    found = [
        next((f.estimate for f in one.figures if (f.measure, f.segment, f.basis) == (measure, segment, basis)), None)
        for one in ordered
    ]
    if all(estimate is None for estimate in found):
        return None
    has_interval = basis != "reference" and any(estimate is not None and estimate.low is not None for estimate in found)
    return Line(
        label=text,
        values=tuple(None if estimate is None else estimate.value for estimate in found),
        low=tuple(None if estimate is None else estimate.low for estimate in found) if has_interval else None,
        high=tuple(None if estimate is None else estimate.high for estimate in found) if has_interval else None,
        dashed=basis == "reference",
    )


def findings(window: Window) -> tuple[ColumnFinding, ...]:
    """A window's columns, those that matter first: flagged, then unseen codes and range, then the largest effect."""

    def key(one: ColumnFinding) -> tuple[bool, bool, float]:
        size = one.effect / one.effect_limit if one.effect_limit > 0 else 0.0
        return (not one.is_flagged, not (one.unseen_rows or one.below or one.above), -size)

    return tuple(sorted(window.columns, key=key))


def segments(window: Window) -> tuple[str, ...]:
    """The segments that a window has figures of."""
    return tuple(dict.fromkeys(figure.segment for figure in window.figures if figure.segment))


def pairs(finding: ColumnFinding, most: int = 24) -> tuple[Pair, ...]:
    """A column's distribution then and now; beyond `most` cells the smallest are joined."""
    shape = finding.distribution
    if shape is None:
        return ()
    cells = list(zip(shape.cells, shape.reference, shape.current, strict=True))
    if len(cells) > most:
        kept = set(sorted(range(len(cells)), key=lambda i: -max(cells[i][1:]))[: most - 1])
        rest = [cells[i] for i in range(len(cells)) if i not in kept]
        joined = (f"{len(rest)} others", sum(c[1] for c in rest), sum(c[2] for c in rest))
        cells = [*(cells[i] for i in sorted(kept)), joined]
    widest = max((max(then, now) for _, then, now in cells), default=0.0) or 1.0
    unseen = {level.level for level in finding.unseen}
    return tuple(
        Pair(
            label=name,
            then=then,
            now=now,
            then_width=round(then / widest * 100, 2),
            now_width=round(now / widest * 100, 2),
            is_new=name in unseen or (then == 0 and now > 0),
        )
        for name, then, now in cells
    )
