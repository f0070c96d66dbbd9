"""The small parts: the calendar, keys, projects, locks, moves of states."""

import io
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Conflict, Invalid
from airside.core.ids import PipelineRunId
from airside.pipelines import cron, rules
from airside.pipelines.executors.output import LINE_BYTES, TAIL_BYTES, Output
from airside.pipelines.fingerprint.code import Code
from airside.pipelines.keys import Keys
from airside.pipelines.lock import RunLock, processes_with
from airside.pipelines.project import load_pipeline, pack, unpack
from airside.pipelines.records import Node, StepOptions
from airside.pipelines.storage import ValueFolder
from airside.pipelines.values import json_value

RUN = PipelineRunId("pr-1")


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        ("*/15 * * * *", "UTC", "2026-01-01T00:14:59+00:00", "2026-01-01T00:15:00+00:00"),
        ("0 9 * * mon-fri", "UTC", "2026-01-02T09:00:00+00:00", "2026-01-05T09:00:00+00:00"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
        ("0 0 1 * mon", "UTC", "2026-01-01T00:00:00+00:00", "2026-01-05T00:00:00+00:00"),
        ("@daily", "America/New_York", "2026-07-01T00:00:00+00:00", "2026-07-01T04:00:00+00:00"),
        ("30 2 * * *", "Europe/Zurich", "2026-10-24T12:00:00+00:00", "2026-10-25T00:30:00+00:00"),
        ("30 2 * * *", "Europe/Zurich", "2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00"),
    ],
)
def test_the_calendar_says_when_next(text: str, zone: str, after: str, expected: str) -> None:
    assert cron.next_fire(text, zone, datetime.fromisoformat(after)) == datetime.fromisoformat(expected)


def test_a_day_that_never_comes_is_never() -> None:
    assert cron.next_fire("0 0 30 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC)) is None


@settings(max_examples=50)
@given(after=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), minute=st.integers(0, 59))  # noqa: DTZ001
def test_the_next_fire_is_later_and_one_hour_away_at_most(after: datetime, minute: int) -> None:
    moment = after.replace(tzinfo=UTC)
    found = cron.next_fire(f"{minute} * * * *", "Europe/Zurich", moment)
    assert found is not None
    assert 0 < (found - moment).total_seconds() <= 3600


def test_a_key_depends_on_each_of_its_parts_and_gives_no_secret_away(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("1")
    node = Node(name="n", function="m:f", options=StepOptions(env=("SECRET",), files=("config",)))

    def key(value: object = 1, secret: str = "s", code: str = "c") -> str:
        keys = Keys(tmp_path, {"SECRET": secret}, bytes(32))
        return keys.key(node, Code(parts={"code": code}), {"x": json_value(value)})[0]

    base = key()
    assert base == key()
    assert len({base, key(1.0), key(True), key(secret="t"), key(code="d")}) == 5
    (tmp_path / "config").write_text("2")
    assert key() != base
    parts = Keys(tmp_path, {"SECRET": "s"}, bytes(32)).key(node, Code(parts={}), {})[1]
    assert parts["environment:SECRET"] not in {"", "s"}


def test_a_declared_file_outside_the_project_is_refused(tmp_path: Path) -> None:
    for name in ("../x", "none"):
        node = Node(name="n", function="m:f", options=StepOptions(files=(name,)))
        with pytest.raises(Invalid):
            Keys(tmp_path, {}, bytes(32)).key(node, Code(parts={}), {})


def test_a_project_is_the_same_blob_for_the_same_files_and_comes_back_whole(tmp_path: Path) -> None:
    root = tmp_path / "p"
    (root / "sub").mkdir(parents=True)
    (root / "a.py").write_text("1")
    (root / "sub" / "b.py").write_text("2")
    (root / ".hidden").write_text("no")
    one = pack(root)
    os.utime(root / "a.py", (0, 0))
    assert pack(root) == one
    archive = tmp_path / "p.zip"
    archive.write_bytes(one)
    unpack(archive, tmp_path / "out")
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.py"))
    assert files == ["a.py", "sub/b.py"]


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "a/../../evil.py"])
def test_a_member_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    (tmp_path / "p.zip").write_bytes(buffer.getvalue())
    with pytest.raises(Invalid):
        unpack(tmp_path / "p.zip", tmp_path / "out")


def test_an_entry_that_names_no_pipeline_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "some_pipeline.py").write_text("x = 1\n")
    for entry in ("nothing", f"{tmp_path}/none.py:main", f"{tmp_path}/some_pipeline.py:main"):
        with pytest.raises(Invalid):
            load_pipeline(entry)


def test_a_lock_is_held_by_one_and_free_when_released(tmp_path: Path) -> None:
    lock = RunLock.take(tmp_path, RUN)
    assert lock is not None
    assert RunLock.take(tmp_path, RUN) is None
    lock.release()
    again = RunLock.take(tmp_path, RUN)
    assert again is not None
    again.release()
    assert list(tmp_path.iterdir()) == []


def test_processes_are_found_by_their_environment() -> None:
    import subprocess

    # Its answer says that the program runs: until then the system shows no environment of it.
    environment = {"AIRSIDE_TEST_MARK": "x1", "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        ["cat"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"here")
        assert process.stdout.read(4) == b"here"
        found = processes_with("AIRSIDE_TEST_MARK", "x1")
        process.kill()
    assert found == [process.pid]


def test_output_is_bounded_by_the_line_and_as_a_whole() -> None:
    reading, writing = os.pipe()
    output = Output(reading)
    for piece in (b"a" * (LINE_BYTES + 5) + b"\n", b"b\n" * 100, b"last"):
        for begin in range(0, len(piece), 30_000):
            os.write(writing, piece[begin : begin + 30_000])
            output.pump()
    os.close(writing)
    output.pump()
    os.close(reading)
    assert output.tail().endswith("b\nlast")
    assert len(output.tail()) <= TAIL_BYTES + LINE_BYTES
    assert not output.is_open


@pytest.mark.parametrize(
    "value", [(1, 2), "\udc80", {1: 2}, float("inf"), [1, {"a": (1,)}], {"a", "b"}, 2**70, b"bytes"]
)
def test_what_json_cannot_say_exactly_comes_back_as_it_was(tmp_path: Path, value: object) -> None:
    folder = ValueFolder(tmp_path)
    kept = folder.dump(value)
    assert kept.kind in {"pickle", "list"}
    assert folder.load(kept) == value
    assert type(folder.load(kept)) is type(value)
    assert folder.dump(value) == kept


def test_ends_are_ends() -> None:
    for state in rules.RUN_ENDS:
        for event in ("claim", "lose", "succeed", "fail", "cancel"):
            with pytest.raises(Conflict):
                rules.next_run_state(state, event)
