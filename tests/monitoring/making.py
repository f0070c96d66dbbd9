"""What the tests of the room are made of: findings, windows, and the demo's real data."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from airside.core.column import Column
from airside.core.estimate import Estimate
from airside.core.ids import EndpointName, ModelName, MonitorName
from airside.monitoring.records import ColumnFinding, Figure, Window, WindowId
from airside.quality.measures.profile import reference_of
from airside.quality.profiles import Importance, Reference

START = datetime(2026, 1, 1, tzinfo=UTC)
FEATURES = [
    "AGEP", "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM", "SEX",
    "RAC1P",
]  # fmt: skip
IMPORTANCE = (
    Importance(column="AGEP", fall=0.174),
    Importance(column="RELP", fall=0.051),
    Importance(column="SCHL", fall=0.020),
    Importance(column="ANC", fall=0.0004, low=0.0, high=0.0012),
)


def finding(column: str = "ANC", **fields: object) -> ColumnFinding:
    given: dict[str, object] = {"kind": "levels", "statistic": "tvd", "n": 4000, "reference_n": 40_000}
    return ColumnFinding(column=column, **{**given, "effect_limit": 0.03, **fields})  # type: ignore[arg-type]


def flagged(column: str = "ANC", effect: float = 0.04, importance: float | None = 0.0004) -> ColumnFinding:
    known = None if importance is None else Estimate(value=importance)
    return finding(column, effect=effect, p=1e-9, p_adjusted=1e-8, is_flagged=True, importance=known)


def figure(measure: str, basis: str, value: float, reach: float = 0.01, n: int = 1000) -> Figure:
    estimate = Estimate(value=value, low=value - reach, high=value + reach, n=n)
    return Figure(measure=measure, basis=basis, estimate=estimate)  # type: ignore[arg-type]


def window(
    sequence: int, *found: ColumnFinding, reference: int = 1, figures: tuple[Figure, ...] = (), version: int = 1
) -> Window:
    return Window(
        window_id=WindowId(f"w-{sequence:04d}"),
        monitor=MonitorName("inputs"),
        endpoint=EndpointName("employment"),
        model=ModelName("employment"),
        sequence=sequence,
        delivery=f"2016-{sequence:02d}",
        from_at=START + timedelta(days=sequence),
        to_at=START + timedelta(days=sequence, hours=1),
        version=version,
        reference_version=reference,
        rows=4000,
        flagged=tuple(one.column for one in found if one.is_flagged),
        columns=found,
        figures=figures,
        analysed_at=START + timedelta(days=sequence, hours=2),
    )


@lru_cache(maxsize=1)
def people() -> dict[str, npt.NDArray[np.int64]]:
    """The adults of the demo's data; the file lies beside the checkout or in the package."""
    import pyarrow.parquet as pq

    table = pq.read_table(data_file())
    columns = {name: table.column(name).to_numpy().astype(np.int64) for name in table.column_names}
    adults = columns["AGEP"] >= 16
    return {name: values[adults] for name, values in columns.items()}


def data_file() -> Path:
    name = "acs_ma_employment.parquet"
    root = Path(__file__).parents[2]
    places = [*root.glob(f"src/airside/**/{name}"), *(parent / "shared" / "data" / name for parent in root.parents)]
    return next(place for place in places if place.exists())


def rows_of(mask: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.int64]]:
    return {name: people()[name][mask] for name in FEATURES}


def batch(year: int, number: int) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = (people()["year"] == year) & (people()["batch"] == number)
    return mask


@lru_cache(maxsize=2)
def training_reference(last_year: int = 2015) -> Reference:
    """The 2015 training households, or all adults up to a later year."""
    table = people()
    mask = (table["year"] == 2015) & (table["household"] % 5 != 0) if last_year == 2015 else table["year"] <= last_year
    columns = [Column(name=name, type="long", categorical=name != "AGEP") for name in FEATURES]
    return reference_of(rows_of(mask), columns, importance=IMPORTANCE)


RELP_OF_2019: Mapping[int, int] = {
    0: 20, 1: 21, 2: 25, 3: 26, 4: 27, 5: 28, 6: 29, 7: 30, 8: 31, 9: 32, 10: 33, 11: 36, 12: 34, 13: 22, 14: 35,
    15: 36, 16: 37, 17: 38,
}  # fmt: skip
