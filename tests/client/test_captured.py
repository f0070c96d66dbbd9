"""What a run captures without being asked, and how to say no."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import airside
from airside.client.recording import capturing, stack
from airside.client.recording.monitor import Monitor, interval_s
from airside.client.sdk.code import restore_code
from airside.client.transport import Client
from airside.core.errors import Invalid, NotFound
from airside.core.ids import BlobId
from airside.tracking.capture.bundle import Manifest, Member, packed
from airside.tracking.capture.operations import GetCaptures, KeepCapture
from airside.tracking.capture.records import Capture, CodeState, Command, Environment
from airside.tracking.capture.taking import Taken, take
from airside.tracking.operations.runs import GetRun

BUNDLE = packed(Manifest(kind="snapshot"), [Member(path="train.py", content=b"print(1)")])
COMMIT = "c" * 40


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("AIRSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("AIRSIDE_CAPTURE", "AIRSIDE_URL", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(capturing, "_taken", {})
    with airside.open(tmp_path / "home") as opened:
        blob = opened.put_blob(BUNDLE)
        code = CodeState(commit=COMMIT, kind="snapshot", bundle=blob, files=1)
        facts = {
            "code": Taken(code, blob, BUNDLE),
            "command": Taken(Command(arguments=("python", "train.py"), entry="train.py")),
        }

        monkeypatch.setattr(capturing, "take", lambda kind: facts.get(kind) or take(kind))
        yield opened
        for run in reversed(stack.all_active()):
            run.finish("FAILED")


def tags_of(client: Client, run: airside.Run) -> dict[str, str]:
    return {tag.key: tag.value for tag in client.call(GetRun(run_id=run.run_id)).tags}


def captured(client: Client, run: airside.Run) -> Capture:
    (found,) = client.call(GetCaptures(run_id=run.run_id)).items
    return found


def test_everything_is_captured_and_mlflows_tags_are_set(client: Client, tmp_path: Path) -> None:
    with airside.start_run(client=client, tags={"mlflow.source.name": "mine"}) as run:
        pass
    found, tags = captured(client, run), tags_of(client, run)
    assert found.machine is not None
    assert found.environment is not None
    assert client.get_blob(found.environment.lock).startswith(b"# python ")
    assert {fact.name for fact in found.seeds} >= {"random"}
    assert (tags["mlflow.source.name"], tags["mlflow.source.type"]) == ("mine", "LOCAL")
    assert (tags["mlflow.source.git.commit"], found.omitted) == (COMMIT, ())
    restore_code(client, run.run_id, tmp_path / "again")
    assert (tmp_path / "again" / "train.py").read_bytes() == b"print(1)"


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        (["command"], {"command"}),
        (False, set()),
        (None, {"machine", "command"}),
        ("-code,-environment", {"machine", "command"}),
    ],
)
def test_kinds_are_left_out_when_somebody_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, said: list[str] | bool | None, kinds: set[str]
) -> None:
    monkeypatch.setenv("AIRSIDE_CAPTURE", "-code,-environment")
    with airside.start_run(client=client, capture=said) as run:
        pass
    captures = client.call(GetCaptures(run_id=run.run_id)).items
    taken = {name for one in captures for name in ("code", "command", "environment", "machine") if getattr(one, name)}
    assert taken == kinds
    assert all("code" in one.omitted for one in captures)


def test_an_unknown_kind_is_refused_before_anything_is_made(client: Client) -> None:
    with pytest.raises(Invalid, match="There is no kind of capture 'everything'"):
        airside.start_run(client=client, capture=["everything"])


def test_what_cannot_be_captured_is_told_and_the_run_goes_on(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(kind: str) -> Taken[Environment]:
        raise RuntimeError(f"no {kind}")

    monkeypatch.setattr(capturing, "take", fail)
    with airside.start_run(client=client) as run:
        run.log(m=1)
    assert "could not be captured: RuntimeError('no code')" in capsys.readouterr().err
    assert client.call(GetRun(run_id=run.run_id)).info.status == "FINISHED"


def test_a_child_has_no_samples_of_its_own_and_its_parent_goes_on_counting(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sampler:
        def begin(self) -> None: ...

        def sample(self) -> dict[str, float]:
            return {"cpu_utilization_percentage": 5.0}

    monkeypatch.setattr("airside.client.recording.monitor.Sampler", Sampler)
    monkeypatch.setattr("airside.client.recording.monitor.FIRST_S", 0.0)
    with airside.start_run(client=client) as above, airside.start_run(client=client, nested=True) as below:
        Monitor(above).log_sample()
    metrics = {metric.key for metric in client.call(GetRun(run_id=above.run_id)).metrics}
    assert metrics == {"system/cpu_utilization_percentage"}
    assert client.call(GetRun(run_id=below.run_id)).metrics == ()


def test_mlflows_variable_sets_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    assert interval_s() == 10.0
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "2.5")
    assert interval_s() == 2.5


def test_a_run_without_code_or_with_damaged_code_cannot_be_restored(client: Client, tmp_path: Path) -> None:
    with airside.start_run(client=client, capture=False) as run:
        pass
    with pytest.raises(NotFound, match="No code was captured"):
        restore_code(client, run.run_id, tmp_path / "a")
    state = CodeState(kind="snapshot", bundle=BlobId("b3:" + "0" * 64))
    client.call(KeepCapture(run_id=run.run_id, capture=Capture(source="s", code=state)))
    with pytest.raises(NotFound):
        restore_code(client, run.run_id, tmp_path / "a")
