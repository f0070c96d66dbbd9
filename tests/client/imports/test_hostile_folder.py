"""A folder of a stranger's: whatever is in it, it is told with words and the name of the place."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.client.imports.near import bring, client_of, make_database

from airside.client.imports.folder import staged
from airside.client.imports.trust import Trust
from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.platform.wiring import Platform
from airside.tracking.operations.runs import GetRun

EXPERIMENT = "experiment_id: '7'\nname: e\n"
RUN = "run_id: r\nstatus: 3\n"
HOSTILE = {
    "nested beyond the stack": ("meta.yaml", b"name: " + b"[" * 200_000),
    "nested in a small file": ("meta.yaml", b"name: " + b"- " * 4000),
    "a list where a name is": ("meta.yaml", EXPERIMENT.replace("name: e", "name: [[a]]").encode()),
    "an object of Python's": ("meta.yaml", b"name: !!python/object/apply:os.getcwd []"),
    "a date that is none": ("meta.yaml", EXPERIMENT.encode() + b"d: 2001-99-99\n"),
    "a number of many digits": ("meta.yaml", EXPERIMENT.encode() + b"creation_time: " + b"9" * 5000),
    "a larger file than any": ("meta.yaml", b"#" * (2 << 20)),
    "a list where a status is": ("r/meta.yaml", b"run_id: r\nstatus: [1]\n"),
    "points that are no text": ("r/metrics/m", b"1 2\n\xff\xfe\n"),
    "a number beyond 64 bits": ("r/metrics/m", b"9999999999999999999999 1 1\n"),
    "a name that is no text": ("r/params/\udcff", b"x"),
}


@pytest.mark.parametrize(("place", "content"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_hostile_in_a_folder_is_told(tmp_path: Path, place: str, content: bytes) -> None:
    experiment = tmp_path / "mlruns" / "7"
    for name in ("metrics", "params"):
        (experiment / "r" / name).mkdir(parents=True)
    (experiment / "meta.yaml").write_text(EXPERIMENT)
    (experiment / "r" / "meta.yaml").write_text(RUN)
    (experiment / place).write_bytes(content)
    with pytest.raises(Invalid, match=r"mlruns/7"):
        staged(tmp_path / "mlruns", Trust([tmp_path / "mlruns"]))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder of somebody else's."""
    folder = tmp_path / "secret"
    folder.mkdir()
    (folder / "shadow").write_text("hush")
    return folder


def mlruns(tmp_path: Path, location: str) -> Path:
    folder = tmp_path / "mlruns"
    for name in ("metrics", "params", "tags", "inputs", "artifacts"):
        (folder / "7" / "r" / name).mkdir(parents=True)
    (folder / "7" / "meta.yaml").write_text(EXPERIMENT)
    (folder / "7" / "r" / "meta.yaml").write_text(f"{RUN}artifact_uri: {location}\n")
    (folder / "7" / "r" / "artifacts" / "own").write_text("own")
    return folder


def copied(platform: Platform) -> list[str]:
    below = [each.path for each in platform.artifacts.list("7/r/artifacts")]
    return [path.removeprefix("7/r/artifacts/") for path in below]


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_folder_that_a_source_names_is_copied_only_when_the_user_names_it(
    platform: Platform, tmp_path: Path, secret: Path, *, through_a_link: bool
) -> None:
    folder = mlruns(tmp_path, f"file://{tmp_path}/mlruns/7/out" if through_a_link else f"file://{secret}")
    (folder / "7" / "r" / "artifacts" / "own").unlink()
    (folder / "7" / "r" / "artifacts").rmdir()
    if through_a_link:
        (folder / "7" / "out").symlink_to(secret)
    client = client_of(platform)
    for options in ({}, {"artifacts": folder}):
        done = bring(client, folder, **options)
        assert copied(platform) == []
        assert any("--copy-from DIR" in note for note in done.report.notes)
        assert any("not copied, for nobody allowed it" in each for each in done.report.differences)

    assert bring(client, folder, copy_from=(secret,)).report.n_differences == 0

    assert copied(platform) == ["shadow"]


@pytest.mark.parametrize("place", ["mlruns", "mlartifacts", "elsewhere"])
def test_beside_a_database_its_two_usual_folders_are_trusted(platform: Platform, tmp_path: Path, place: str) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    (tmp_path / "old" / "mlruns").rename(tmp_path / "old" / place)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE runs SET artifact_uri = replace(artifact_uri, '/mlruns/', ?)", (f"/{place}/",))

    done = bring(client_of(platform), path)

    assert (done.report.n_differences > 0) == (place == "elsewhere")
    assert any("files are in the artifact store" in note for note in done.report.notes) == (place != "elsewhere")


def test_a_usual_folder_that_is_a_link_is_trusted_when_it_is_named(platform: Platform, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    (tmp_path / "old" / "mlruns").rename(tmp_path / "big")
    (tmp_path / "old" / "mlruns").symlink_to(tmp_path / "big")

    assert bring(client_of(platform), path).report.n_differences > 0
    assert bring(client_of(platform), path, copy_from=(tmp_path / "big",)).report.n_differences == 0


def test_an_address_from_the_old_servers_own_folder_is_found_beside_the_database(
    platform: Platform, tmp_path: Path
) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE runs SET artifact_uri = replace(artifact_uri, ?, './')", (f"{tmp_path}/old/",))

    done = bring(client_of(platform), path)

    assert done.report.n_differences == 0
    assert any("files are in the artifact store" in note for note in done.report.notes)


@pytest.mark.parametrize("place", ["7/r/params/p", "7/r/params", "7/r/tags", "7/x", "models"])
def test_a_link_out_of_a_folder_is_told_and_not_followed(
    platform: Platform, tmp_path: Path, secret: Path, place: str
) -> None:
    folder = mlruns(tmp_path, f"file://{tmp_path}/mlruns/7/r/artifacts")
    if (folder / place).is_dir():
        (folder / place).rmdir()
    (folder / place).symlink_to(secret if place != "7/r/params/p" else secret / "shadow")

    done = bring(client_of(platform), folder)

    assert [note for note in done.report.notes if f"{folder / place}: a link that leads out" in note]
    run = client_of(platform).call(GetRun(run_id=RunId("r")))
    assert "hush" not in repr(run)
    assert copied(platform) == ["own"]


def test_pipes_and_links_among_the_files_are_told_and_passed_over(
    platform: Platform, tmp_path: Path, secret: Path
) -> None:
    folder = mlruns(tmp_path, f"file://{tmp_path}/mlruns/7/r/artifacts")
    for place in ("params/pipe", "metrics/pipe", "artifacts/pipe"):
        os.mkfifo(folder / "7" / "r" / place)
    artifacts = folder / "7" / "r" / "artifacts"
    (artifacts / "out").symlink_to(secret / "shadow")
    (artifacts / "folder").symlink_to(secret)
    (artifacts / "circle").symlink_to(artifacts / "circle")
    (artifacts / "beside").symlink_to("own")

    done = bring(client_of(platform), folder)

    assert copied(platform) == ["beside", "own"]
    told = " ".join(done.report.notes)
    for name in ("params/pipe", "metrics/pipe", "artifacts/pipe", "/out:", "/folder:", "/circle:"):
        assert name in told


@pytest.mark.parametrize("place", ["7/meta.yaml", "7/r/meta.yaml", "7/r/inputs/i/meta.yaml"])
def test_a_pipe_in_place_of_facts_does_not_stop_the_import_for_ever(tmp_path: Path, place: str) -> None:
    folder = mlruns(tmp_path, "")
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).unlink(missing_ok=True)
    os.mkfifo(folder / place)
    trust = Trust([folder])
    with suppress(Invalid):
        staged(folder, trust).close()
    assert str(folder / place) in trust.passed


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE experiments SET name = x'ff' WHERE experiment_id = 1",
        "UPDATE runs SET start_time = 'soon'",
        "UPDATE metrics SET value = 'many'",
        "UPDATE metrics SET timestamp = 'soon'",
        "UPDATE metrics SET step = 1.5",
        "UPDATE model_versions SET source = x'ff00'",
        "UPDATE experiments SET artifact_location = x'ff00'",
    ],
)
def test_a_value_of_a_wrong_type_is_told_and_not_stored(platform: Platform, tmp_path: Path, change: str) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(change)
    with pytest.raises(Invalid):
        bring(client_of(platform), path)


@pytest.mark.parametrize("place", ["1/victim/artifacts", "1", "", "../r"])
def test_the_files_of_a_run_do_not_overwrite_anothers(platform: Platform, tmp_path: Path, place: str) -> None:
    folder = mlruns(tmp_path, f"mlflow-artifacts:/{place}")
    platform.artifacts.write("1/victim/artifacts/model", [b"good"])
    kept = tmp_path / "kept" / "1" / "victim" / "artifacts"
    kept.mkdir(parents=True)
    (kept / "model").write_text("bad")

    done = bring(client_of(platform), folder, artifacts=tmp_path / "kept")

    with platform.artifacts.open("1/victim/artifacts/model") as file:
        assert b"".join(file.pieces()) == b"good"
    assert any("may be another's" in note for note in done.report.notes)
