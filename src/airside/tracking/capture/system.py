"""The machine's own metrics under MLflow's names (its `system_metrics` package), from /proc and NVIDIA's driver.

CPU: the share of all cores that was busy since the last sample. Memory and disk: as they are, in units of 10^6 bytes.
Network: what was moved since the beginning, all interfaces but the loopback. Names without `system/`, which the
monitor puts before them.
"""

import shutil
from pathlib import Path
from typing import Any

from airside.tracking.capture.nvidia import GpuSample, Nvidia

MEGA = 1e6
ROOT = Path("/proc")
_BUSY_NOT = (3, 4)
"""The fields of /proc/stat that are no work: idle and waiting for a disk (proc(5))."""


class Sampler:
    """Takes samples. Belongs to one thread."""

    def __init__(self, proc: Path = ROOT, nvidia: Any = None) -> None:
        self._proc = proc
        self._nvidia: Nvidia | None = nvidia
        self._opened = nvidia is not None
        self._cpu = (0.0, 0.0)
        self._network = (0, 0)

    def begin(self) -> None:
        """Note where the counters stand."""
        if not self._opened:
            self._nvidia, self._opened = Nvidia.opened(), True
        self._cpu = self._cpu_times() or self._cpu
        self._network = self._network_bytes() or self._network

    def sample(self) -> dict[str, float]:
        """The values of now; what the system does not tell is left out."""
        found = {**self._cpu_sample(), **self._memory_sample(), **self._disk_sample(), **self._network_sample()}
        for at, gpu in enumerate(self._nvidia.samples() if self._nvidia is not None else ()):
            found |= {f"gpu_{at}_{name}": value for name, value in gpu_values(gpu).items()}
        return found

    def _cpu_sample(self) -> dict[str, float]:
        now = self._cpu_times()
        if now is None:
            return {}
        busy, total = now[0] - self._cpu[0], now[1] - self._cpu[1]
        if total <= 0:
            return {}
        self._cpu = now
        return {"cpu_utilization_percentage": round(100 * max(0.0, busy) / total, 1)}

    def _memory_sample(self) -> dict[str, float]:
        sizes = {}
        for line in self._text("meminfo").splitlines():
            words = line.split()
            if len(words) >= 2 and words[1].isdecimal():
                sizes[words[0].rstrip(":")] = int(words[1]) * 1024
        total, free = sizes.get("MemTotal", 0), sizes.get("MemAvailable", sizes.get("MemFree", 0))
        if not total:
            return {}
        return {
            "system_memory_usage_megabytes": round((total - free) / MEGA, 1),
            "system_memory_usage_percentage": round(100 * (total - free) / total, 1),
        }

    def _disk_sample(self) -> dict[str, float]:
        disk = shutil.disk_usage("/")
        usable = disk.used + disk.free
        return {
            "disk_usage_percentage": round(100 * disk.used / usable, 1) if usable else 0.0,
            "disk_usage_megabytes": round(disk.used / MEGA, 1),
            "disk_available_megabytes": round(disk.free / MEGA, 1),
        }

    def _network_sample(self) -> dict[str, float]:
        now = self._network_bytes()
        if now is None:
            return {}
        return {
            "network_receive_megabytes": round((now[0] - self._network[0]) / MEGA, 6),
            "network_transmit_megabytes": round((now[1] - self._network[1]) / MEGA, 6),
        }

    def _cpu_times(self) -> tuple[float, float] | None:
        """Busy and all time of all cores, in ticks."""
        words = self._text("stat").partition("\n")[0].split()
        if len(words) < 6 or words[0] != "cpu":
            return None
        ticks = [int(word) for word in words[1:9]]  # guest time, the fields behind, is part of user time
        return sum(tick for at, tick in enumerate(ticks) if at not in _BUSY_NOT), sum(ticks)

    def _network_bytes(self) -> tuple[int, int] | None:
        """Received and sent bytes of all interfaces but the loopback."""
        received = sent = 0
        lines = self._text("net/dev").splitlines()[2:]
        for line in lines:
            name, _, counters = line.partition(":")
            words = counters.split()
            if name.strip() != "lo" and len(words) >= 9:
                received, sent = received + int(words[0]), sent + int(words[8])
        return (received, sent) if lines else None

    def _text(self, name: str) -> str:
        try:
            return (self._proc / name).read_text("utf-8", errors="replace")
        except OSError:
            return ""


def gpu_values(gpu: GpuSample) -> dict[str, float]:
    """The metrics of a processor under MLflow's names.

    >>> gpu_values(GpuSample(utilization=50.0, power_watts=100.0, power_limit_watts=400.0))
    {'utilization_percentage': 50.0, 'power_usage_watts': 100.0, 'power_usage_percentage': 25.0}
    """
    found: dict[str, float] = {}
    if gpu.memory_used_bytes is not None and gpu.memory_total_bytes:
        found["memory_usage_percentage"] = round(100 * gpu.memory_used_bytes / gpu.memory_total_bytes, 1)
        found["memory_usage_megabytes"] = round(gpu.memory_used_bytes / MEGA, 1)
    if gpu.utilization is not None:
        found["utilization_percentage"] = gpu.utilization
    if gpu.power_watts is not None:
        found["power_usage_watts"] = round(gpu.power_watts, 1)
        if gpu.power_limit_watts:
            found["power_usage_percentage"] = round(100 * gpu.power_watts / gpu.power_limit_watts, 1)
    return found
