"""The real thing: a server, a serving replica beside it, a compiled model, and callers over HTTP."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import urllib3
from tests.conftest import RunningServer

from airside.client.sdk.endpoints import (
    complete_delivery,
    create_endpoint,
    deploy,
    label,
    predict,
    replay,
    wait_rollout,
)
from airside.client.sdk.models import log_model, register
from airside.client.transport import Client, connect
from airside.core.errors import Invalid, NotFound
from airside.core.ids import EndpointName, ExperimentId
from airside.serving.operations.predictions import GetPrediction, ListBatches
from airside.serving.process.main import listen
from airside.serving.records import RolloutPlan, ServingTransform, ShadowPhase, Step
from airside.tracking.operations.runs import CreateRun

ROWS = 400
RNG = np.random.default_rng(7)
AGE, HOURS = RNG.integers(16, 95, ROWS).tolist(), RNG.normal(30, 10, ROWS).tolist()
TRUTH = [int(age < 60 and hours > 20) for age, hours in zip(AGE, HOURS, strict=True)]
LAUNCH = """import sys
from airside.client.replica import Replica, main
main(Replica(spool=sys.argv[1], descriptor=int(sys.argv[2])))"""


class RunningReplica:
    """A real serving process, on a socket that its supervisor (this test) keeps open."""

    def __init__(self, spool: Path, control_url: str) -> None:
        self.spool, self.control_url = spool, control_url
        self.socket = listen("127.0.0.1", 0)
        self.socket.listen(1024)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(self.spool), str(self.socket.fileno())],
            pass_fds=(self.socket.fileno(),),
            env={**os.environ, "AIRSIDE_URL": self.control_url, "OMP_NUM_THREADS": "1"},
        )

    def wait_ready(self) -> float:
        started = time.monotonic()
        with urllib3.PoolManager(retries=False) as pool:
            while time.monotonic() - started < 20:
                try:
                    if pool.request("GET", self.url + "/ping").status == 200:
                        return time.monotonic() - started
                except urllib3.exceptions.HTTPError:
                    assert self.process.poll() is None
                time.sleep(0.01)
        raise AssertionError("the serving process did not become ready")

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def close(self) -> None:
        self.end(signal.SIGKILL)
        self.socket.close()


def until(is_true: Callable[[], bool], patience_s: float = 15.0) -> None:
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with connect(server.url) as opened:
        yield opened


@pytest.fixture
def people(client: Client) -> Client:
    """Two registered versions: a tree of depth 4, and one of depth 1 that knows less."""
    from sklearn.tree import DecisionTreeClassifier

    run_id = client.call(CreateRun(experiment_id=ExperimentId("0"))).info.run_id
    example = {"AGEP": AGE, "HOURS": HOURS}
    for depth in (4, 5):
        fitted = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(np.array([AGE, HOURS]).T, TRUTH)
        logged = log_model(
            client, fitted, run_id=run_id, name="people", example=example, training_columns=("AGEP", "HOURS")
        )
        assert register(client, "people", logged).files
    return client


@pytest.fixture
def replica(tmp_path: Path, server: RunningServer, people: Client) -> Iterator[RunningReplica]:
    create_endpoint(people, "jobs", "people")
    deploy(people, "jobs", 1)
    started = RunningReplica(tmp_path / "spool", server.url)
    started.wait_ready()
    yield started
    started.close()


def ask(url: str, start: int, count: int = 1, **more: str) -> tuple[str, list[int], str, int]:
    rows = {"AGEP": AGE[start : start + count], "HOURS": HOURS[start : start + count]}
    found = predict(url, "jobs", rows, **more)
    return found.request_id, found.predictions, found.prediction_id, found.version


def test_a_prediction_is_right_logged_labelled_and_replayed_bit_for_bit(
    people: Client, replica: RunningReplica
) -> None:
    request_id, labels, prediction_id, version = ask(replica.url, 0, 100, delivery="may")
    assert version == 1
    assert sum(given == true for given, true in zip(labels, TRUTH, strict=False)) > 90
    done = complete_delivery(people, "jobs", "may", rows=100)
    assert (done.rows, done.batches) == (100, 1)
    assert label(people, "jobs", {request_id: TRUTH[:100]}).rows == 100
    row = people.call(GetPrediction(id=f"{prediction_id}.17"))
    assert row.columns.inputs == {"AGEP": [AGE[17]], "HOURS": [HOURS[17]]}
    assert (row.columns.labels, row.truth) == ([labels[17]], (TRUTH[17],))
    assert replay(people, prediction_id).is_identical
    assert replay(people, f"{prediction_id}.17").rows == 1


def test_what_does_not_fit_is_refused_with_names(replica: RunningReplica) -> None:
    with pytest.raises(Invalid, match="'HOURS'"):
        predict(replica.url, "jobs", {"AGEP": [30]})
    with pytest.raises(NotFound, match="'jobs'"):
        predict(replica.url, "nobody", {"AGEP": [30], "HOURS": [1.0]})


def test_a_good_version_goes_through_shadow_and_canary_and_is_promoted(people: Client, replica: RunningReplica) -> None:
    plan = RolloutPlan(
        shadow=ShadowPhase(min_rows=200, margin=0.05),
        steps=(Step(weight_percent=10, min_rows=10), Step(weight_percent=50, min_rows=40)),
        interval_s=0.2,
    )
    rollout = deploy(people, "jobs", 2, plan=plan).rollout
    assert rollout is not None
    seen: list[str] = []
    stop = threading.Event()
    traffic = threading.Thread(target=send_truth, args=(people, replica, stop))
    traffic.start()
    try:
        ended = wait_rollout(people, rollout.id, lambda each: seen.append(f"{each.state}{each.step}"), patience_s=60)
    finally:
        stop.set()
        traffic.join()
    assert ended.state == "promoted", ended.reason
    assert "canary0" in seen
    until(lambda: ask(replica.url, 0)[3] == 2)


def test_a_fault_that_begins_with_the_canary_is_rolled_back(people: Client, replica: RunningReplica) -> None:
    plan = RolloutPlan(
        shadow=ShadowPhase(min_rows=100, margin=0.05),
        steps=(Step(weight_percent=20, min_rows=2_000),),
        interval_s=0.2,
    )
    months = ServingTransform(multiply={"AGEP": 12}, after="shadow", note="injected: years taken for months")
    rollout = deploy(people, "jobs", 2, plan=plan, transform=months).rollout
    assert rollout is not None
    stop = threading.Event()
    traffic = threading.Thread(target=send_truth, args=(people, replica, stop))
    traffic.start()
    try:
        ended = wait_rollout(people, rollout.id, patience_s=60)
    finally:
        stop.set()
        traffic.join()
    assert ended.state == "rolled_back"
    assert "wrong labels" in ended.reason
    until(lambda: {ask(replica.url, i)[3] for i in range(30)} == {1})


def send_truth(client: Client, replica: RunningReplica, stop: threading.Event) -> None:
    """One-row requests, their truth right after, until told to stop."""
    at = 0
    while not stop.is_set():
        truth = {}
        for _ in range(40):
            at = (at + 1) % ROWS
            request_id, *_ = ask(replica.url, at)
            truth[request_id] = [TRUTH[at]]
        label(client, "jobs", truth)


def test_what_was_answered_survives_kill_9_of_the_serving_process(people: Client, replica: RunningReplica) -> None:
    answered = [ask(replica.url, i)[2] for i in range(200)]
    time.sleep(1.0)
    replica.end(signal.SIGKILL)
    late = len(answered)
    replica.start()
    replica.wait_ready()
    ask(replica.url, 0)
    until(lambda: len(logged(people)) > late)
    assert set(answered) <= set(logged(people))
    assert len(logged(people)) == late + 1


def test_while_the_control_plane_is_away_it_answers_even_after_a_restart_and_hands_over_later(
    people: Client, server: RunningServer, replica: RunningReplica
) -> None:
    server.kill()
    answered = [ask(replica.url, i)[2] for i in range(50)]
    time.sleep(1.0)
    replica.end(signal.SIGKILL)
    replica.start()
    answered.append(ask(replica.url, 50)[2])
    server.start()
    until(lambda: len(logged(people)) >= 51)
    assert set(answered) == set(logged(people))


def logged(client: Client) -> list[str]:
    return [batch.id for batch in client.call(ListBatches(endpoint=EndpointName("jobs"), max_results=10_000)).items]


def test_a_restart_under_load_loses_no_request_and_no_line_of_the_log(people: Client, replica: RunningReplica) -> None:
    answered: list[str] = []
    broken: list[str] = []
    stop = threading.Event()

    def caller() -> None:
        body = b'{"inputs": {"AGEP": [30], "HOURS": [25.5]}}'
        with urllib3.PoolManager(retries=False, maxsize=1) as pool:
            while not stop.is_set():
                try:
                    reply = pool.request("POST", f"{replica.url}/endpoints/jobs/invocations", body=body)
                except urllib3.exceptions.HTTPError as error:
                    broken.append(repr(error))
                else:
                    told = reply.headers.get("x-airside-prediction-id", reply.data.decode())
                    (answered if reply.status == 200 else broken).append(told)

    callers = [threading.Thread(target=caller) for _ in range(8)]
    for each in callers:
        each.start()
    until(lambda: len(answered) > 100)
    assert replica.end(signal.SIGTERM) == 0
    before = len(answered)
    replica.start()
    until(lambda: len(answered) > before + 100)
    stop.set()
    for each in callers:
        each.join()
    assert broken == []
    until(lambda: set(answered) <= set(logged(people)))


def test_the_process_is_small_and_without_scikit_learn(replica: RunningReplica) -> None:
    ask(replica.url, 0, 50)
    maps = Path(f"/proc/{replica.process.pid}/smaps_rollup").read_text()
    pss_kib = next(int(line.split()[1]) for line in maps.splitlines() if line.startswith("Pss:"))
    libraries = Path(f"/proc/{replica.process.pid}/maps").read_text()
    assert "sklearn" not in libraries
    assert pss_kib < 80 * 1024
