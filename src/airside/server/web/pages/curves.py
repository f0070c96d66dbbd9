"""What `<air-curve>` draws, and the sentence that says it to who does not see it."""

from collections.abc import Sequence

from airside.core.record import Record
from airside.server.web.format import figure


class Line(Record):
    """A line: a value for each x, with its interval where one is known. `colour` is 1 … 8; 0 takes them in turn."""

    label: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] | None = None
    high: tuple[float | None, ...] | None = None
    dashed: bool = False
    faint: bool = False
    colour: int = 0


class Mark(Record):
    """Something that happened at an x."""

    x: float
    text: str


class CurveData(Record):
    """A curve chart.

    Attributes:
        x_kind: `number`, or `time` (seconds since 1970).
        x_words: what stands at each x, where that is no number (a delivery).
        is_joined: whether the lines have places of their own on a common axis: a missing value is then no gap.
        n_points: how many points the lines stand for; more than are sent when they were thinned out.
        is_log: whether the values stand on a logarithmic scale, which has no place for `n_below` of them.
        n_odd: how many of the values are no numbers.
        start, end: the part of the axis that was asked for; None where it is the whole.
        more: where a part of the axis can be asked for more closely; empty where it cannot.
    """

    x: tuple[float, ...]
    lines: tuple[Line, ...]
    x_name: str = "step"
    x_kind: str = "number"
    x_words: tuple[str, ...] | None = None
    unit: str = ""
    marks: tuple[Mark, ...] = ()
    is_joined: bool = False
    n_points: int = 0
    n_sent: int = 0
    is_log: bool = False
    n_below: int = 0
    n_odd: int = 0
    start: float | None = None
    end: float | None = None
    more: str = ""
    sentence: str = ""


def told(line: Line, words: Sequence[str]) -> str:
    """A line in one sentence.

    >>> told(Line(label="accuracy", values=(0.81, None, 0.79)), ["a", "b", "c"])
    'accuracy fell from 0.81 in a to 0.79 in c.'
    """
    known = [(value, where) for value, where in zip(line.values, words, strict=True) if value is not None]
    if not known:
        return f"{line.label}: no values."
    (first, start), (last, end) = known[0], known[-1]
    if len(known) == 1:
        return f"{line.label} is {figure(first)} in {start}."
    move = "rose" if last > first else "fell" if last < first else "stayed"
    return f"{line.label} {move} from {figure(first)} in {start} to {figure(last)} in {end}."
