"""The stand-alone report: one line of code, JSON and HTML."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from airside.quality.profiles import DriftReport
from airside.quality.report import compare, save, to_html


def table(seed: int, shift: float = 0.0, town: str = "b") -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "income": random.normal(shift, 1, 2_000),
            "age": random.integers(16, 95, 2_000),
            "town": random.choice(["a", town], 2_000),
            "flag": random.random(2_000) < 0.5,
        }
    )


def test_what_changed_comes_first_and_the_rest_is_as_before() -> None:
    report = compare(table(0), table(1, 0.5, "<b>"))
    assert [(one.column, one.is_drifted) for one in report.columns][:2] == [("town", True), ("income", True)]
    assert not any(one.is_drifted for one in report.columns[2:])
    assert 0.03 < report.smallest_effect < 0.07
    assert msgspec.json.decode(msgspec.json.encode(report), type=DriftReport) == report


def test_the_page_needs_nothing_from_elsewhere_and_quotes_what_it_shows() -> None:
    page = to_html(compare(table(0), table(1, 0.5, "<b>")))
    assert "2 of 4 columns drifted" in page
    assert "unseen levels &lt;b&gt;" in page
    assert not {"http", "<script", "url("} & {word for word in ("http", "<script", "url(") if word in page}
    assert "<h1>No drift</h1>" in to_html(compare(table(0), table(0)))


def test_tables_of_any_kind_give_the_same_report() -> None:
    left, right = table(0), table(1)
    reports = [compare(kind(left), kind(right)) for kind in (lambda one: one, pa.Table.to_pandas, pa.Table.to_pydict)]
    assert reports[0] == reports[1] == reports[2]


def test_a_column_that_one_side_lacks_is_told() -> None:
    report = compare(table(0).drop_columns(["age"]), table(1).drop_columns(["flag"]))
    assert (report.only_in_reference, report.only_in_current) == (("flag",), ("age",))
    assert "Only in current: age." in to_html(report)


def test_an_empty_side_is_nothing_to_compare() -> None:
    report = compare(table(0), table(1).slice(0, 0))
    assert {one.p for one in report.columns} == {None}
    assert "nothing to compare" in to_html(report)


def test_the_command_compares_two_files_and_writes_the_page(tmp_path: Path) -> None:
    pq.write_table(table(0), tmp_path / "old.parquet")
    pq.write_table(table(1, 0.5), tmp_path / "new.parquet")
    old, new, page = (str(tmp_path / name) for name in ("old.parquet", "new.parquet", "out.html"))
    command = [sys.executable, "-m", "airside", "report"]
    told = subprocess.run([*command, old, new, "--html", page], check=True, capture_output=True, text=True).stdout
    assert told.splitlines()[0].startswith("income                   drifted")
    assert "new.parquet (2000 rows) against old.parquet" in Path(page).read_text()
    broken = subprocess.run([*command, str(tmp_path / "none.csv"), new], check=False, capture_output=True, text=True)
    assert (broken.returncode, "There is no file 'none.csv'" in broken.stderr) == (1, True)
    save(compare(table(0), table(1)), tmp_path / "out.json")
    assert msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=DriftReport).rows_current == 2_000
