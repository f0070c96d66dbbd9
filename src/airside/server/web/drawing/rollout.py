"""The rollout bar: one bar in percent by version, the plan's steps as marks."""

from collections.abc import Iterable, Sequence

from airside.core.record import Record


class Segment(Record):
    """A version's share of the traffic, in percent of the bar."""

    label: str
    role: str
    x: float
    width: float


class Bar(Record):
    """A drawn rollout bar. `beside` are the versions that see traffic without answering (shadow)."""

    segments: tuple[Segment, ...]
    marks: tuple[float, ...]
    beside: tuple[str, ...] = ()


def rollout_bar(shares: Iterable[tuple[str, str, float]], steps: Sequence[float] = ()) -> Bar:
    """Lay out (label, role, percent), scaled to fill the bar.

    Marks are the plan's steps, from the right: the newcomer grows from there.

    >>> bar = rollout_bar([("v13", "champion", 75.0), ("v14", "canary", 25.0)], steps=[25, 50, 100])
    >>> [(s.label, s.x, s.width) for s in bar.segments], bar.marks
    ([('v13', 0.0, 75.0), ('v14', 75.0, 25.0)], (75.0, 50.0))
    """
    given = list(shares)
    serving = [(label, role, max(percent, 0.0)) for label, role, percent in given if role != "shadow" and percent > 0]
    total = sum(percent for _, _, percent in serving)
    segments, x = [], 0.0
    for label, role, percent in serving:
        width = percent / total * 100
        segments.append(Segment(label=label, role=role, x=round(x, 4), width=round(width, 4)))
        x += width
    return Bar(
        segments=tuple(segments),
        marks=tuple(round(100.0 - step, 4) for step in steps if 0 < step < 100),
        beside=tuple(label for label, role, _ in given if role == "shadow"),
    )
