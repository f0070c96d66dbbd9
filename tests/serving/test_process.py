"""The real thing: a server, a serving replica beside it, a compiled model, and callers over HTTP."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import urllib3
from tests.conftest import RunningServer

from airside.client.sdk.endpoints import (
    Predicted,
    complete_delivery,
    create_endpoint,
    deploy,
    label,
    predict,
    replay,
    wait_rollout,
)
from airside.client.sdk.models import LoggedModelRef, log_model, register
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

NUMBERS = itertools.count(1)
SERVE = (sys.executable, "-m", "airside", "serve")


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
            [*SERVE, "--spool", str(self.spool), "--descriptor", str(self.socket.fileno())],
            pass_fds=(self.socket.fileno(),),
            env={**os.environ, "AIRSIDE_URL": self.control_url, "OMP_NUM_THREADS": "1"},
        )

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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A control plane that starts no serving process of its own."""
    running = RunningServer(tmp_path_factory.mktemp("process") / "home", "--no-serving", "--no-runner")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[Client]:
    with connect(server.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def trees(client: Client) -> list[LoggedModelRef]:
    """Two logged models: trees of depth 4 and 5."""
    from sklearn.tree import DecisionTreeClassifier

    run_id = client.call(CreateRun(experiment_id=ExperimentId("0"))).info.run_id
    example, table = {"AGEP": AGE, "HOURS": HOURS}, np.array([AGE, HOURS]).T
    fitted = [DecisionTreeClassifier(max_depth=depth, random_state=0).fit(table, TRUTH) for depth in (4, 5)]
    names = ("AGEP", "HOURS")
    return [
        log_model(client, each, run_id=run_id, name="t", example=example, training_columns=names) for each in fitted
    ]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, server: RunningServer) -> Iterator[RunningReplica]:
    started = RunningReplica(tmp_path_factory.mktemp("spool"), server.url)
    yield started
    started.close()


@pytest.fixture
def own(tmp_path: Path, server: RunningServer) -> Iterator[RunningReplica]:
    """A serving process for tests that kill it."""
    started = RunningReplica(tmp_path / "spool", server.url)
    yield started
    started.close()


@pytest.fixture
def jobs(client: Client, trees: list[LoggedModelRef]) -> str:
    """An endpoint that serves the first of two versions of a model of its own."""
    name = f"jobs{next(NUMBERS)}"
    for tree in trees:
        register(client, name, tree)
    create_endpoint(client, name, name)
    deploy(client, name, 1)
    return name


class Stage:
    """An endpoint, and the serving process that answers for it."""

    def __init__(self, client: Client, endpoint: str, replica: RunningReplica) -> None:
        self.client, self.endpoint, self.replica = client, endpoint, replica
        until(self._is_ready)

    def _is_ready(self) -> bool:
        with urllib3.PoolManager(retries=False) as pool:
            return pool.request("GET", f"{self.replica.url}/v2/models/{self.endpoint}/ready").status == 200

    def ask(self, start: int, count: int = 1, delivery: str = "") -> Predicted:
        rows = {"AGEP": AGE[start : start + count], "HOURS": HOURS[start : start + count]}
        return predict(self.replica.url, self.endpoint, rows, delivery=delivery)

    def logged(self) -> list[str]:
        asked = ListBatches(endpoint=EndpointName(self.endpoint), max_results=10_000)
        return [batch.id for batch in self.client.call(asked).items]

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """One-row requests, their truth right after, for as long as the block lasts."""
        stop = threading.Event()

        def send() -> None:
            at = 0
            while not stop.is_set():
                truth = {}
                for _ in range(40):
                    at = (at + 1) % ROWS
                    truth[self.ask(at).request_id] = [TRUTH[at]]
                label(self.client, self.endpoint, truth)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            stop.set()
            sender.join()


@pytest.fixture
def stage(client: Client, jobs: str, shared: RunningReplica) -> Stage:
    return Stage(client, jobs, shared)


@pytest.fixture
def own_stage(client: Client, jobs: str, own: RunningReplica) -> Stage:
    return Stage(client, jobs, own)


def test_a_prediction_is_right_logged_labelled_and_replayed_bit_for_bit(stage: Stage) -> None:
    answer = stage.ask(0, 100, delivery="may")
    assert (answer.version, answer.role) == (1, "champion")
    assert sum(given == true for given, true in zip(answer.predictions, TRUTH, strict=False)) > 90
    done = complete_delivery(stage.client, stage.endpoint, "may", rows=100)
    assert (done.rows, done.batches) == (100, 1)
    assert label(stage.client, stage.endpoint, {answer.request_id: TRUTH[:100]}).rows == 100
    row = stage.client.call(GetPrediction(id=f"{answer.prediction_id}.17"))
    assert row.columns.inputs == {"AGEP": [AGE[17]], "HOURS": [HOURS[17]]}
    assert (row.columns.labels, row.truth) == ([answer.predictions[17]], (TRUTH[17],))
    assert replay(stage.client, answer.prediction_id).is_identical
    assert replay(stage.client, f"{answer.prediction_id}.17").rows == 1


def test_what_does_not_fit_is_refused_with_names(stage: Stage) -> None:
    with pytest.raises(Invalid, match="'HOURS'"):
        predict(stage.replica.url, stage.endpoint, {"AGEP": [30]})
    with pytest.raises(NotFound, match=f"'{stage.endpoint}'"):
        predict(stage.replica.url, "nobody", {"AGEP": [30], "HOURS": [1.0]})


def test_a_good_version_goes_through_shadow_and_canary_and_is_promoted(stage: Stage) -> None:
    plan = RolloutPlan(
        shadow=ShadowPhase(min_rows=200, margin=0.05),
        steps=(Step(weight_percent=10, min_rows=10), Step(weight_percent=50, min_rows=40)),
        interval_s=0.2,
    )
    rollout = deploy(stage.client, stage.endpoint, 2, plan=plan).rollout
    assert rollout is not None
    seen: list[str] = []
    with stage.traffic():
        ended = wait_rollout(stage.client, rollout.id, lambda at: seen.append(f"{at.state}{at.step}"), patience_s=60)
    assert ended.state == "promoted", ended.reason
    assert "shadow-1" in seen
    assert "canary1" in {f"{decision.state}{decision.step}" for decision in ended.history}
    until(lambda: stage.ask(0).version == 2)


def test_a_fault_that_begins_with_the_canary_is_rolled_back(stage: Stage) -> None:
    plan = RolloutPlan(
        shadow=ShadowPhase(min_rows=100, margin=0.05),
        steps=(Step(weight_percent=20, min_rows=2_000),),
        interval_s=0.2,
    )
    months = ServingTransform(multiply={"AGEP": 12}, after="shadow", note="injected: years taken for months")
    rollout = deploy(stage.client, stage.endpoint, 2, plan=plan, transform=months).rollout
    assert rollout is not None
    with stage.traffic():
        ended = wait_rollout(stage.client, rollout.id, patience_s=60)
    assert ended.state == "rolled_back"
    assert "wrong labels" in ended.reason
    until(lambda: {stage.ask(i).version for i in range(30)} == {1})


def test_what_was_answered_survives_kill_9_of_the_serving_process(own_stage: Stage) -> None:
    answered = [own_stage.ask(i).prediction_id for i in range(200)]
    time.sleep(1.0)
    own_stage.replica.end(signal.SIGKILL)
    own_stage.replica.start()
    answered.append(own_stage.ask(0).prediction_id)
    until(lambda: len(own_stage.logged()) >= len(answered))
    assert sorted(own_stage.logged()) == sorted(answered)


def test_while_the_control_plane_is_away_it_answers_even_after_a_restart_and_hands_over_later(
    server: RunningServer, own_stage: Stage
) -> None:
    server.kill()
    answered = [own_stage.ask(i).prediction_id for i in range(50)]
    time.sleep(1.0)
    own_stage.replica.end(signal.SIGKILL)
    own_stage.replica.start()
    answered.append(own_stage.ask(50).prediction_id)
    server.start()
    until(lambda: len(own_stage.logged()) >= len(answered))
    assert sorted(own_stage.logged()) == sorted(answered)


def test_a_restart_under_load_loses_no_request_and_no_line_of_the_log(own_stage: Stage) -> None:
    answered: list[str] = []
    broken: list[str] = []
    stop = threading.Event()

    def caller() -> None:
        body = b'{"inputs": {"AGEP": [30], "HOURS": [25.5]}}'
        url = f"{own_stage.replica.url}/endpoints/{own_stage.endpoint}/invocations"
        with urllib3.PoolManager(retries=False, maxsize=1) as pool:
            while not stop.is_set():
                try:
                    reply = pool.request("POST", url, body=body)
                except urllib3.exceptions.HTTPError as error:
                    broken.append(repr(error))
                else:
                    told = reply.headers.get("x-airside-prediction-id", reply.data.decode())
                    (answered if reply.status == 200 else broken).append(told)

    callers = [threading.Thread(target=caller) for _ in range(8)]
    for each in callers:
        each.start()
    until(lambda: len(answered) > 100)
    assert own_stage.replica.end(signal.SIGTERM) == 0
    before = len(answered)
    own_stage.replica.start()
    until(lambda: len(answered) > before + 100)
    stop.set()
    for each in callers:
        each.join()
    assert broken == []
    until(lambda: set(answered) <= set(own_stage.logged()))


def test_the_process_is_small_and_without_scikit_learn(stage: Stage) -> None:
    stage.ask(0, 50)
    place = Path(f"/proc/{stage.replica.process.pid}")
    lines = (place / "smaps_rollup").read_text().splitlines()
    pss_kib = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    assert "sklearn" not in (place / "maps").read_text()
    assert pss_kib < 80 * 1024
