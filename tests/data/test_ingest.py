"""Files into tables, schema and statistics; what broken files are told."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airside.core.column import Column
from airside.core.errors import Invalid
from airside.data.ingest import concatenate, infer_schema, parse_table, read_table, summarise, to_parquet
from airside.data.validate import validate


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "'a.csv': Empty CSV file"),
        (b"a,b\n1,2\n3\n", "'a.csv', line 3: Expected 2 columns, got 1"),
        (b"a,b\n1,2\n\xff,3\n", "'a.csv', line 3, column 'a': not UTF-8 text"),
        (b"a,a\n1,2\n", "several columns of one name: 'a'"),
    ],
)
def test_a_broken_csv_file_is_told_with_its_line_and_column(content: bytes, told: str) -> None:
    with pytest.raises(Invalid) as found:
        parse_table("a.csv", content)
    assert told in found.value.message


def test_a_value_that_does_not_fit_the_earlier_schema_is_told_with_line_and_column() -> None:
    columns = [Column(name="name", type="string"), Column(name="age", type="integer")]
    with pytest.raises(Invalid, match="line 3, column 'age': invalid value 'old'"):
        parse_table("a.csv", b"name,age\nana,41\nbo,old\n", columns)


def test_a_cut_parquet_file_is_told(tmp_path: Path) -> None:
    whole = to_parquet(pa.table({"a": [1, 2]}))
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Invalid, match=r"'cut.parquet' is not a whole Parquet file"):
        read_table(tmp_path / "cut.parquet")
    with pytest.raises(Invalid, match=r"There is no file 'none.parquet'"):
        read_table(tmp_path / "none.parquet")
    with pytest.raises(Invalid, match=r"no table that can be read. Give a file that ends in .parquet or .csv"):
        parse_table("a.txt", b"")


def test_the_same_table_is_written_as_the_same_bytes_and_read_back() -> None:
    table = pa.table({"a": [1, None], "b": ["x", "y"]}).replace_schema_metadata({"k": "v"})
    assert to_parquet(table) == to_parquet(table)
    assert parse_table("a.parquet", to_parquet(table)).to_pydict() == table.to_pydict()


def test_files_of_one_version_have_the_same_columns() -> None:
    one, other = pa.table({"a": [1]}), pa.table({"b": [1]})
    assert concatenate({"2": one, "1": one}).num_rows == 2
    with pytest.raises(Invalid, match="'2' has other columns than '1'"):
        concatenate({"1": one, "2": other})


def test_the_schema_is_inferred_with_types_levels_ranges_keys_and_roles() -> None:
    n = 1_000
    table = pa.table(
        {
            "row_id": pa.array(range(n), pa.int32()),
            "age": pa.array(np.arange(n) % 79 + 16, pa.int8()),
            "code": pa.array(np.arange(n) % 4, pa.int64()),
            "town": ["a", "b"] * (n // 2),
            "text": [f"text {i}" for i in range(n)],
            "rate": pa.array([float("nan"), 0.5, float("inf"), None] * (n // 4)),
            "label": [True, False] * (n // 2),
        }
    )
    columns = {one.name: one for one in infer_schema(table, roles={"label": "label"}, sensitive=["age"])}
    assert columns["row_id"].role == "key"
    assert columns["age"] == Column(name="age", type="integer", minimum=16, maximum=94, sensitive=True)
    assert (columns["code"].categorical, columns["code"].levels) == (True, (0, 1, 2, 3))
    assert (columns["town"].levels, columns["text"].categorical) == (("a", "b"), False)
    assert (columns["rate"].nullable, columns["rate"].minimum, columns["rate"].maximum) == (True, 0.5, 0.5)
    assert (columns["label"].role, columns["label"].levels) == ("label", (False, True))


def test_what_is_said_to_be_a_code_is_one_and_nothing_else() -> None:
    table = pa.table({"a": list(range(100)) * 5, "b": [1, 2] * 250})
    assert [one.categorical for one in infer_schema(table, categorical=["a"])] == [True, False]
    with pytest.raises(Invalid, match="no column 'c'"):
        infer_schema(table, roles={"c": "label"})


def test_a_column_of_lists_is_refused() -> None:
    with pytest.raises(Invalid, match="one value a row"):
        infer_schema(pa.table({"a": [[1], [2]]}))


def test_a_summary_counts_what_is_there_and_what_is_missing() -> None:
    table = pa.table({"x": pa.array([1.0, None, float("nan"), 3.0]), "s": ["a", "b", "a", None]})
    x, s = summarise(table)
    assert (x.rows, x.missing, x.distinct, x.minimum, x.maximum, x.mean, x.deviation) == (4, 2, 2, 1.0, 3.0, 2.0, 1.0)
    assert [(one.level, one.rows) for one in s.top] == [("a", 2), ("b", 1)]


def test_an_empty_table_has_a_schema_and_summaries() -> None:
    table = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})
    assert [one.type for one in infer_schema(table)] == ["long", "string"]
    assert [one.rows for one in summarise(table)] == [0, 0]


def test_each_way_to_break_a_schema_is_found() -> None:
    good = pa.table({"age": [20, 30] * 50, "sex": ["f", "m"] * 50, "gone": [1, 2] * 50, "id": range(100)})
    columns = infer_schema(good, categorical=["sex"])
    bad = pa.table({"age": [19, 31, None], "sex": ["f", "x", "x"], "id": ["1", "2", "3"], "more": [1, 2, 3]})
    assert validate(good, columns) == ()
    assert [(one.column, one.kind, one.rows) for one in validate(bad, columns)] == [
        ("age", "nulls", 1),
        ("age", "below_range", 1),
        ("age", "above_range", 1),
        ("sex", "new_level", 2),
        ("gone", "missing_column", 0),
        ("id", "type_change", 0),
        ("more", "new_column", 0),
    ]


def test_a_parquet_file_is_read_from_disk(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("a\n1\n")
    assert read_table(tmp_path / "a.parquet").to_pydict() == read_table(tmp_path / "a.csv").to_pydict()
