"""Runs of real processes against a real server: forked, spawned, killed, and servers that go away meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.conftest import RunningServer

import airside
from airside.client.recording.spool import ParcelState
from airside.client.transport import Client
from airside.core.ids import RunId
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.runs import GetRun
from airside.tracking.records import Run


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path_factory.mktemp("server") / "home")
    yield running
    running.stop()


def environment(folder: Path, url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRSIDE_", "MLFLOW_"))}
    source = str(Path(airside.__file__).parents[1])
    ours = {"AIRSIDE_URL": url, "AIRSIDE_HOME": str(folder / "client"), "AIRSIDE_CAPTURE": "none", "PYTHONPATH": source}
    return {**kept, **ours, "HOME": str(folder), "PYTHONWARNINGS": "error"}


def command(folder: Path, code: str) -> list[str]:
    script = folder / "script.py"
    script.write_text(code)
    return [sys.executable, str(script)]


def ran(folder: Path, url: str, code: str, *, status: int = 0) -> str:
    """Run a script that prints the id of its run first; what it said on both streams."""
    done = subprocess.run(
        command(folder, code), env=environment(folder, url), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def stored(url: str, said: str) -> tuple[Client, Run]:
    client = airside.connect(url)
    return client, client.call(GetRun(run_id=RunId(said.split(maxsplit=1)[0])))


def values(client: Client, run: Run, key: str) -> list[tuple[int, float | None]]:
    page = client.call(GetMetricHistory(run_id=run.info.run_id, key=key, max_results=25_000))
    return sorted((point.step, point.value) for point in page.items)


LEFT = """
import airside
run = airside.start_run("left")
print(run.run_id)
for step in range(500):
    run.log(m=step, step=step)
"""


def test_a_run_that_nobody_ended_is_whole_at_the_end_of_the_script(shared: RunningServer, tmp_path: Path) -> None:
    said = ran(tmp_path, shared.url, LEFT)
    client, run = stored(shared.url, said)
    assert (run.info.status, len(values(client, run, "m"))) == ("FINISHED", 500)
    assert f"run left finished, 500 points: {shared.url}/runs/{run.info.run_id}" in said


def test_after_an_uncaught_error_it_has_failed(shared: RunningServer, tmp_path: Path) -> None:
    said = ran(tmp_path, shared.url, LEFT + "\nraise ValueError('why')", status=1)
    client, run = stored(shared.url, said)
    assert (run.info.status, len(values(client, run, "m"))) == ("FAILED", 500)
    assert "ValueError: why" in {tag.value for tag in run.tags}


@pytest.mark.parametrize("is_inside", [True, False])
def test_sigterm_kills_the_run_and_keeps_its_points(shared: RunningServer, tmp_path: Path, is_inside: bool) -> None:
    wait = "import signal\nprint('ready', flush=True)\nsignal.pause()"
    inside = "\n    ".join(["with run:", *wait.splitlines()])
    process = subprocess.Popen(
        command(tmp_path, f"{LEFT}\n{inside if is_inside else wait}"),
        env=environment(tmp_path, shared.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    process.stdout.close()
    client, run = stored(shared.url, said)
    assert (run.info.status, len(values(client, run, "m"))) == ("KILLED", 500)


FORKS = """
import multiprocessing, os, sys
import airside

def work(run, at):
    for step in range(100):
        run.log({f"child{at}": step}, step=step)

def main():
    run = airside.start_run("forks")
    print(run.run_id, flush=True)
    run.log(before=1)  # on its way while we fork: the parent's to send
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        children = [context.Process(target=work, args=(run, f"-{method}-{at}")) for at in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join()
            assert child.exitcode == 0, child.exitcode
    child = os.fork()
    if not child:
        work(run, "-raw")
        run.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    child = os.fork()
    if not child:
        with run:  # leaving it in a child does not end it
            work(run, "-leaving")
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.starmap(work, [(run, f"-pool-{at}") for at in range(4)])
        pool.close()
        pool.join()
    run.log(after=1)

if __name__ == "__main__":
    main()
"""


def test_forked_and_spawned_processes_log_to_the_same_run_each_value_once(
    shared: RunningServer, tmp_path: Path
) -> None:
    said = ran(tmp_path, shared.url, FORKS)
    client, run = stored(shared.url, said)
    children = [f"child-{method}-{at}" for method in ("fork", "spawn") for at in range(2)]
    children += ["child-raw", "child-leaving", *(f"child-pool-{at}" for at in range(4))]
    assert {child: len(values(client, run, child)) for child in children} == dict.fromkeys(children, 100)
    assert (len(values(client, run, "before")), len(values(client, run, "after"))) == (1, 1)
    assert run.info.status == "FINISHED"


JOBLIB = """
import airside
from joblib import Parallel, delayed

def work(run, at):
    run.log(loky=at, step=at)
    run.flush()

def main():
    with airside.start_run() as run:
        print(run.run_id, flush=True)
        Parallel(n_jobs=2, backend="loky")(delayed(work)(run, at) for at in range(10))

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_workers_of_joblib_log_to_the_run(shared: RunningServer, tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    client, run = stored(shared.url, ran(tmp_path, shared.url, JOBLIB))
    assert values(client, run, "loky") == [(at, float(at)) for at in range(10)]


EMBEDDED = """
import multiprocessing
import airside

def work(run, at):
    for step in range(50):
        run.log({f"child-{at}": step}, step=step)

def main():
    with airside.start_run() as run:
        print(run.run_id, flush=True)
        for method in ("fork", "spawn"):
            child = multiprocessing.get_context(method).Process(target=work, args=(run, method))
            child.start()
            child.join()
    from airside.tracking.operations.histories import GetMetricHistory
    for method in ("fork", "spawn"):
        print(len(run.client.call(GetMetricHistory(run_id=run.run_id, key=f"child-{method}")).items), "points")

if __name__ == "__main__":
    main()
"""


def test_children_of_an_embedded_platform_hand_their_values_to_it(tmp_path: Path) -> None:
    assert ran(tmp_path, "", EMBEDDED).count("50 points") == 2


RESTARTED = """
import sys
import airside
with airside.start_run("restarted") as run:
    print(run.run_id, flush=True)
    for step in range(2000):
        run.log(m=step, step=step)
        if step % 500 == 250:
            print("at", step, flush=True)
            sys.stdin.readline()
    run.params(last="yes")
    run.text("note.txt", "there")
"""


def test_a_server_killed_and_restarted_meanwhile_has_every_value_once(server: RunningServer, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, RESTARTED),
        env=environment(tmp_path, server.url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said = process.stdout.readline()
    for round_ in range(4):
        assert process.stdout.readline().startswith("at ")
        if round_ % 2 == 0:
            server.kill()
        else:
            server.start()
        process.stdin.write("\n")
        process.stdin.flush()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    client, run = stored(server.url, said)
    assert values(client, run, "m") == [(step, float(step)) for step in range(2000)]
    assert (run.info.status, [param.key for param in run.params]) == ("FINISHED", ["last"])
    root = run.info.artifact_uri.removeprefix("mlflow-artifacts:/")
    assert client.download_artifact(f"{root}/note.txt") == b"there"


KILLED = """
import os, signal
import airside
run = airside.start_run("offline", experiment="far")
print(run.run_id, flush=True)
for step in range(1000):
    run.log(m=step, step=step)
assert not run.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
NEXT = """
import airside
with airside.start_run("next") as run:
    print(run.run_id)
"""


def parcels(folder: Path, url: str) -> list[ParcelState]:
    done = subprocess.run(
        [sys.executable, "-m", "airside", "spool", "status", "--json"],
        env=environment(folder, url),
        capture_output=True,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=list[ParcelState])


def test_a_client_killed_while_the_server_is_away_loses_nothing_that_was_flushed(
    server: RunningServer, tmp_path: Path
) -> None:
    server.kill()
    said = ran(tmp_path, server.url, KILLED, status=-signal.SIGKILL)
    assert "what is logged is kept on this machine" in said
    (parcel,) = parcels(tmp_path, server.url)
    assert (parcel.address, parcel.is_owned) == (server.url, False)
    server.start()
    ran(tmp_path, server.url, NEXT)
    client, run = stored(server.url, said)
    assert (run.info.name, run.info.status) == ("offline", "RUNNING")
    assert values(client, run, "m") == [(step, float(step)) for step in range(1000)]
    assert parcels(tmp_path, server.url) == []


def test_the_command_line_sends_a_run_that_never_saw_its_server(server: RunningServer, tmp_path: Path) -> None:
    server.kill()
    said = ran(tmp_path, server.url, "import os\nos.environ['AIRSIDE_PATIENCE_S'] = '0'\n" + LEFT)
    assert "waits in the spool" in said
    server.start()
    done = subprocess.run(
        [sys.executable, "-m", "airside", "spool", "send"],
        env=environment(tmp_path, server.url),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "sent" in done.stdout
    client, run = stored(server.url, said)
    assert (run.info.status, len(values(client, run, "m"))) == ("FINISHED", 500)
