"""Datasets from Python, on a platform in this process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from airside.client.sdk.data import add_dataset, dataset_input, download_dataset, get_version, load_dataset
from airside.client.transport import Client, EmbeddedTransport
from airside.core.errors import Internal, Invalid, NotFound
from airside.core.ids import BlobId
from airside.data.operations.datasets import GetDataset


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(EmbeddedTransport(tmp_path / "home")) as opened:
        yield opened


def people(oldest: int = 94) -> pa.Table:
    return pa.table({"age": [16, 40, oldest] * 40, "sex": [1, 2, 2] * 40, "employed": [0, 1, 0] * 40})


def test_a_table_is_added_and_loaded_as_it_was(client: Client) -> None:
    version = add_dataset(client, "people", people(), roles={"employed": "label"}, categorical=["sex", "employed"])
    assert (version.version, version.rows, [one.path for one in version.files]) == (1, 120, ["data.parquet"])
    assert load_dataset(client, "people@1") == load_dataset(client, "people") == people()
    assert load_dataset(client, version.id) == people()


def test_what_was_said_once_goes_on_to_hold_and_findings_tell_what_is_new(client: Client) -> None:
    add_dataset(client, "people", people(), roles={"employed": "label"}, categorical=["sex"], sensitive=["sex"])
    version = add_dataset(client, "people", people(95), note="next year")
    assert [(one.name, one.role, one.sensitive) for one in version.columns] == [
        ("age", "feature", False),
        ("sex", "feature", True),
        ("employed", "label", False),
    ]
    assert [one.text for one in version.findings] == ["age: 95 above the reference's maximum 94, in 40 rows"]


def test_the_same_table_again_is_the_same_version(client: Client) -> None:
    assert add_dataset(client, "people", people()) == add_dataset(client, "people", people())


def test_files_and_folders_are_kept_as_they_are(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "more").mkdir(parents=True)
    (folder / "a.csv").write_text("x,y\n1,a\n2,b\n")
    (folder / "more" / "note.txt").write_text("hello")
    version = add_dataset(client, "mixed", folder)
    assert (version.rows, [one.name for one in version.columns]) == (2, ["x", "y"])
    written = download_dataset(client, "mixed@latest", tmp_path / "out")
    assert [one.relative_to(tmp_path / "out").as_posix() for one in written] == ["a.csv", "more/note.txt"]
    assert (tmp_path / "out" / "more" / "note.txt").read_text() == "hello"
    assert load_dataset(client, "mixed").column("y").to_pylist() == ["a", "b"]


def test_a_broken_file_is_told_before_anything_is_added(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1\n")
    with pytest.raises(Invalid, match=r"'a.csv', line 2"):
        add_dataset(client, "broken", tmp_path / "a.csv")
    assert client.call(GetDataset(name="broken")).newest == 0  # type: ignore[arg-type]  # a plain text serves
    with pytest.raises(Invalid, match="There is no file"):
        add_dataset(client, "broken", tmp_path / "none.csv")


def test_a_blob_that_was_damaged_is_named_and_not_delivered(client: Client, tmp_path: Path) -> None:
    version = add_dataset(client, "people", people())
    digest = version.files[0].digest.removeprefix("b3:")
    [blob] = [
        path for path in (tmp_path / "home").rglob("*") if path.is_file() and digest in path.as_posix().replace("/", "")
    ]
    content = bytearray(blob.read_bytes())
    content[100] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(content)
    with pytest.raises(Internal, match=r"'data.parquet' of 'people@1' is damaged"):
        load_dataset(client, "people@1")
    with pytest.raises(Internal, match="is damaged"):
        download_dataset(client, "people@1", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_reference_that_is_none_is_told(client: Client) -> None:
    with pytest.raises(Invalid, match="write it like 'people@3'"):
        get_version(client, "people@x")
    with pytest.raises(NotFound):
        get_version(client, "people@1")


def test_an_input_of_a_run_names_the_version(client: Client) -> None:
    version = add_dataset(client, "people", people())
    told = dataset_input(version, "training")
    assert (told.dataset.source_type, told.dataset.source) == ("airside", version.id)
    assert (len(told.dataset.digest), told.tags[0].value) == (32, "training")
    assert BlobId(f"b3:{told.dataset.digest}") == version.digest[:35]


def test_the_command_adds_files_and_takes_them_back(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("age,employed\n" + "40,1\n20,0\n" * 50)
    command = [sys.executable, "-m", "airside", "data"]
    home = ["--home", str(tmp_path / "home")]
    added = [*command, "add", "people", str(tmp_path / "a.csv"), "--label", "employed", *home]
    told = subprocess.run(added, check=True, capture_output=True, text=True).stdout
    assert told.startswith("people@1  100 rows, 2 columns, b3:")
    taken = [*command, "download", "people@latest", str(tmp_path / "out"), *home]
    subprocess.run(taken, check=True, capture_output=True)
    assert (tmp_path / "out" / "a.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
