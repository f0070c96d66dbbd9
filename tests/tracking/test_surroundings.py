"""Environment, machine, seeds, threads, command: what is told of them, from made-up places where that is possible."""

import ctypes
import hashlib
import random
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airside.tracking.capture import command, environment, machine, seeds
from airside.tracking.capture.nvidia import Nvidia
from airside.tracking.capture.records import Gpu
from airside.tracking.capture.system import Sampler


def package(place: Path, name: str, version: str, **files: str) -> None:
    folder = place / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file.replace("__", ".")).write_text(text)


def test_a_lock_has_a_line_for_each_package_the_first_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "a", "My_Tool", "1.0", RECORD="x,sha256=1,2")
    package(tmp_path / "b", "my-tool", "0.9")
    package(
        tmp_path / "b",
        "other",
        "2.0+cpu",
        direct_url__json='{"url": "https://me:pw@x.org/r", "dir_info": {"editable": true}}',
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "absent")])
    found = environment.taken(tmp_path / "cache")
    lines = [line for line in found.content.decode().splitlines() if not line.startswith("#")]
    digest = hashlib.sha256(b"x,sha256=1,2").hexdigest()
    assert lines == [f"My-Tool==1.0  # record sha256:{digest}", "other==2.0+cpu  # editable, from https://x.org/r"]
    assert found.fact.packages == 2
    assert found.content.decode().startswith(f"# python {sys.version_info[0]}.")


def test_the_lock_is_made_once_for_each_change_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "a", "one", "1.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a")])
    made: list[int] = []
    lock_of = environment.lock_of
    monkeypatch.setattr(environment, "lock_of", lambda folders: made.append(1) or lock_of(folders))
    first = environment.taken(tmp_path / "cache")
    assert environment.taken(tmp_path / "cache") == first
    package(tmp_path / "a", "two", "1.0")
    assert environment.taken(tmp_path / "cache").fact.packages == 2
    assert len(made) == 2


def test_a_seed_that_was_set_is_told_and_nothing_is_imported_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    before = set(sys.modules)
    legacy = np.random.get_state()  # noqa: NPY002 -- what is told is the legacy generator
    try:
        np.random.seed(1234)  # noqa: NPY002 -- what is told is the legacy generator
        fresh = {fact.name: fact.value for fact in seeds.seeds()}
        np.random.rand()  # noqa: NPY002 -- what is told is the legacy generator
        used = {fact.name: fact.value for fact in seeds.seeds()}
    finally:
        np.random.set_state(legacy)  # noqa: NPY002 -- what is told is the legacy generator
    assert fresh["numpy.random"].startswith("seed 1234, state sha256:")
    assert used["numpy.random"].startswith("state sha256:")
    assert fresh["PYTHONHASHSEED"] == "7"
    assert set(sys.modules) == before


def test_the_same_state_has_the_same_digest() -> None:
    state = random.getstate()
    try:
        random.seed(1)
        first = [fact.value for fact in seeds.seeds() if fact.name == "random"]
        random.seed(1)
        assert [fact.value for fact in seeds.seeds() if fact.name == "random"] == first
        random.seed(2)
        assert [fact.value for fact in seeds.seeds() if fact.name == "random"] != first
    finally:
        random.setstate(state)


def test_torch_says_its_seed_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = types.SimpleNamespace(
        initial_seed=lambda: 42,
        are_deterministic_algorithms_enabled=lambda: True,
        backends=types.SimpleNamespace(cudnn=types.SimpleNamespace(deterministic=False, benchmark=True)),
        get_num_threads=lambda: 3,
        get_num_interop_threads=lambda: 2,
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    said = {fact.name: fact.value for fact in (*seeds.seeds(), *seeds.threads())}
    assert (said["torch deterministic algorithms"], said["torch cudnn benchmark"]) == ("true", "true")
    assert (said["OMP_NUM_THREADS"], said["torch interop"]) == ("5", "2")


def test_a_command_hides_secrets_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "train.py", "--api-key", "abc", "x" * 2000, *["y"] * 300])
    found = command.taken()
    assert found.arguments[:4] == ("python", "train.py", "--api-key", "***")
    assert (len(found.arguments), len(found.arguments[4])) == (201, 1000)


def test_a_notebook_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/study.ipynb")
    found = command.taken()
    assert (found.notebook, found.entry) == ("/home/me/study.ipynb", "")


def written(root: Path, **files: str) -> Path:
    for name, text in files.items():
        place = root / name.replace("__", "/").replace("_dot_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


def test_a_container_with_limits_is_told(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        proc__cpuinfo="processor: 0\nmodel name\t: A Fine CPU\n",
        proc__meminfo="MemTotal:       2000 kB\nMemFree: 1 kB\n",
        sys__fs__cgroup__cpu_dot_max="150000 100000\n",
        sys__fs__cgroup__memory_dot_max="1048576\n",
    )
    (root / ".dockerenv").touch()
    found = machine.taken(root, {})
    assert (found.cpu, found.memory_bytes, found.memory_limit_bytes) == ("A Fine CPU", 2_048_000, 1 << 20)
    assert (found.container, found.usable_cores <= 1.5) == ("docker", True)
    assert machine.container(root, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}) == "kubernetes"


def test_a_machine_without_limits_has_none(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        sys__fs__cgroup__cpu_dot_max="max 100000\n",
        sys__fs__cgroup__memory__memory_dot_limit_in_bytes=str((1 << 63) - 4096),
    )
    assert (machine.cpu_quota(root), machine.memory_limit_bytes(root)) == (None, None)
    assert machine.container(root, {}) == ""


class Library:
    """NVML with one processor, of which the power limit is not known."""

    def nvmlInit_v2(self) -> int:
        return 0

    def nvmlShutdown(self) -> int:
        return 0

    def nvmlSystemGetDriverVersion(self, text: Any, _size: Any) -> int:
        text.value = b"550.54"
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, at: Any, handle: Any) -> int:
        handle._obj.value = 7
        return 0 if at.value == 0 else 999

    def nvmlDeviceGetName(self, _handle: Any, text: Any, _size: Any) -> int:
        text.value = b"NVIDIA H100"
        return 0

    def nvmlDeviceGetMemoryInfo(self, _handle: Any, memory: Any) -> int:
        memory._obj.total, memory._obj.used = 80_000_000_000, 20_000_000_000
        return 0

    def nvmlDeviceGetUtilizationRates(self, _handle: Any, rates: Any) -> int:
        rates._obj.gpu = 63
        return 0

    def nvmlDeviceGetPowerUsage(self, _handle: Any, milliwatts: Any) -> int:
        milliwatts._obj.value = 350_000
        return 0

    def nvmlDeviceGetEnforcedPowerLimit(self, _handle: Any, _milliwatts: Any) -> int:
        return 3


def opened() -> Nvidia:
    tried: list[str] = []

    def load(name: str) -> Library:
        tried.append(name)
        if len(tried) == 1:
            raise OSError(name)
        return Library()

    found = Nvidia.opened(load)
    assert found is not None
    return found


def test_nvidias_driver_tells_its_processors() -> None:
    nvidia = opened()
    assert (nvidia.driver, nvidia.gpus()) == ("550.54", (Gpu(name="NVIDIA H100", memory_bytes=80_000_000_000),))
    nvidia.close()


def test_where_there_is_no_driver_there_is_no_library() -> None:
    def load(name: str) -> ctypes.CDLL:
        raise OSError(name)

    assert Nvidia.opened(load) is None


def test_samples_have_mlflows_names(tmp_path: Path) -> None:
    pytest.importorskip("psutil")
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    theirs: set[str] = set()
    for monitor in (CPUMonitor(), DiskMonitor(), NetworkMonitor()):
        monitor.collect_metrics()
        theirs |= set(monitor.aggregate_metrics())
    sampler = Sampler()
    sampler.begin()
    assert set(sampler.sample()) <= theirs
    assert theirs - set(sampler.sample()) <= {"cpu_utilization_percentage"}  # unless a tick has passed


def test_a_sample_is_what_the_counters_say(tmp_path: Path) -> None:
    net = "head\nhead\n lo: 9 0 0 0 0 0 0 0 9 0\neth0: {} 0 0 0 0 0 0 0 {} 0\n"
    written(tmp_path, stat="cpu  100 0 100 700 100 0 0 0 0 0\n", net__dev=net.format(1_000_000, 0))
    sampler = Sampler(tmp_path, opened())
    sampler.begin()
    written(
        tmp_path,
        stat="cpu  150 0 100 740 110 0 0 0 0 0\n",
        meminfo="MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n",
        net__dev=net.format(3_500_000, 500_000),
    )
    found = sampler.sample()
    assert found["cpu_utilization_percentage"] == 50.0
    assert (found["system_memory_usage_megabytes"], found["system_memory_usage_percentage"]) == (0.8, 75.0)
    assert (found["network_receive_megabytes"], found["network_transmit_megabytes"]) == (2.5, 0.5)
    assert {name: value for name, value in found.items() if name.startswith("gpu")} == {
        "gpu_0_memory_usage_percentage": 25.0,
        "gpu_0_memory_usage_megabytes": 20_000.0,
        "gpu_0_utilization_percentage": 63.0,
        "gpu_0_power_usage_watts": 350.0,
    }


def test_a_system_without_proc_tells_what_it_can(tmp_path: Path) -> None:
    sampler = Sampler(tmp_path)
    sampler.begin()
    assert set(sampler.sample()) == {"disk_usage_percentage", "disk_usage_megabytes", "disk_available_megabytes"}
