"""Metrics as charts: one or several of one run, one of several runs; all of a history, or a part of it more closely."""

import math
from collections.abc import Sequence

from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.core.record import Record
from airside.server.web.page import Call, PageQuery
from airside.server.web.pages.curves import CurveData, Line, told
from airside.tracking.operations.histories import GetCurves
from airside.tracking.records import Curve

AXES = {"step": "step", "relative": "seconds", "wall": "at"}
SCALES = ("linear", "log")
WIDTH = 600


class Asked(Record):
    """How charts are to be drawn, as an address says it.

    Attributes:
        start, end: the part of the axis, in the units that are drawn (of wall time: seconds since 1970).
    """

    axis: str = "step"
    smoothing: float = 0.0
    is_log: bool = False
    start: float | None = None
    end: float | None = None
    width: int = WIDTH


def asked_of(query: PageQuery) -> Asked:
    """`axis=`, `smoothing=`, `scale=`, and the part of the axis: `x0=`, `x1=`.

    Raises:
        Invalid: one of them cannot be read.
    """
    return Asked(
        axis=query.choice("axis", tuple(AXES)),
        smoothing=min(query.number("smoothing", 0, least=0, most=99) / 100, 0.99),
        is_log=query.choice("scale", SCALES) == "log",
        start=_place(query, "x0"),
        end=_place(query, "x1"),
        width=query.number("width", WIDTH, least=60, most=1200),
    )


def kept(asked: Asked) -> dict[str, str]:
    """What an address that asks for more of the same chart says, but for the part of the axis."""
    smoothing = str(round(asked.smoothing * 100)) if asked.smoothing else ""
    return {"axis": asked.axis, "smoothing": smoothing, "scale": "log" if asked.is_log else ""}


def _place(query: PageQuery, key: str) -> float | None:
    text = query.arguments.get(key, "")
    try:
        found = float(text) if text else None
    except ValueError:
        found = math.nan
    if found is not None and not math.isfinite(found):
        raise Invalid(f"'{key}' is {text[:60]!r}, not a number. Leave it out, or give one.")
    return found


def curves_of(call: Call, run_ids: Sequence[RunId], key: str, asked: Asked) -> tuple[Curve, ...]:
    """The points of a metric of some runs, in the units that are drawn."""
    factor = 1000 if asked.axis == "wall" else 1
    found = call(
        GetCurves(
            run_ids=tuple(run_ids),
            key=key,
            axis=asked.axis,  # type: ignore[arg-type]  # one of the three
            start=None if asked.start is None else asked.start * factor,
            end=None if asked.end is None else asked.end * factor,
            width=asked.width,
            smoothing=asked.smoothing,
        )
    )
    return found.items


def chart(lines: Sequence[tuple[str, Curve, int]], asked: Asked) -> CurveData | None:
    """Curves on a common axis; None where none has more than one point. One alone keeps its raw line behind it.

    Args:
        lines: each with the words of the legend and its colour, 1 … 8, or 0.
        asked: how they are drawn.
    """
    least = 1 if asked.start is not None or asked.end is not None else 2
    drawn = [(label, one, colour) for label, one, colour in lines if len(one.x) >= least]
    if not drawn:
        return None
    x: Sequence[float] = drawn[0][1].x if len(drawn) == 1 else sorted({at for _, one, _ in drawn for at in one.x})
    made = [Line(label=label, values=_over(one, one.smooth or one.y, x), colour=own) for label, one, own in drawn]
    if len(drawn) == 1 and drawn[0][1].smooth:
        made.append(Line(label="as logged", values=drawn[0][1].y, faint=True))
    every = [one for _, one, _ in drawn]
    return CurveData(
        x=tuple(at / 1000 for at in x) if asked.axis == "wall" else tuple(x),
        x_kind="time" if asked.axis == "wall" else "number",
        x_name=AXES[asked.axis],
        lines=tuple(made),
        is_joined=len(drawn) > 1,
        is_log=asked.is_log,
        start=asked.start,
        end=asked.end,
        n_points=sum(one.n_points for one in every),
        n_sent=sum(min(one.n_sent, one.n_points) for one in every),  # a part has a neighbour beyond each end
        n_below=sum(value <= 0 for one in every for value in one.y) if asked.is_log else 0,
        n_odd=sum(len(one.not_finite_x) for one in every),
        sentence=_sentence(made, len(drawn), x, asked),
    )


def _over(one: Curve, values: Sequence[float], x: Sequence[float]) -> tuple[float | None, ...]:
    """The values at the places of a common axis."""
    if one.x is x:
        return tuple(values)
    at = dict(zip(one.x, values, strict=True))
    return tuple(at.get(place) for place in x)


def _sentence(made: Sequence[Line], n_drawn: int, x: Sequence[float], asked: Asked) -> str:
    if n_drawn == 1:
        return told(made[0], [f"{AXES[asked.axis]} {at:g}" for at in x])
    ends = ", ".join(f"{line.label} ends at {_last(line):.4g}" for line in made[:6])
    return f"{ends}."


def _last(line: Line) -> float:
    return next((value for value in reversed(line.values) if value is not None), math.nan)
