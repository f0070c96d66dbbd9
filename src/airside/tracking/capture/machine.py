"""The machine as the process sees it: processor, memory, container, limits, graphics processors."""

import os
import platform
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from airside.tracking.capture.nvidia import Nvidia
from airside.tracking.capture.records import Machine

ROOT = Path("/")


def taken(root: Path = ROOT, environment: Mapping[str, str] | None = None) -> Machine:
    """The machine of this process.

    Args:
        root: where `proc` and `sys` are; another place in tests.
        environment: instead of the process's own.
    """
    variables = os.environ if environment is None else environment
    cores = os.cpu_count() or 0
    quota = cpu_quota(root)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    nvidia = Nvidia.opened()
    machine = Machine(
        host=socket.gethostname(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=cpu_model(root),
        cores=cores,
        usable_cores=min(float(allowed), quota) if quota else float(allowed),
        memory_bytes=memory_bytes(root),
        memory_limit_bytes=memory_limit_bytes(root),
        container=container(root, variables),
        driver=nvidia.driver if nvidia else "",
        gpus=nvidia.gpus() if nvidia else (),
    )
    if nvidia is not None:
        nvidia.close()
    return machine


def cpu_model(root: Path = ROOT) -> str:
    """The processor's name; empty where the system does not tell it."""
    for line in _text(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model", "cpu model"}:
            return value.strip()
    return platform.processor()


def memory_bytes(root: Path = ROOT) -> int:
    """The machine's memory."""
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def cpu_quota(root: Path = ROOT) -> float | None:
    """The cores that the control group allows; None without a limit."""
    words = _text(root / "sys/fs/cgroup/cpu.max").split()
    if len(words) == 2 and words[0].isdecimal() and words[1].isdecimal():
        return int(words[0]) / int(words[1])
    quota = _text(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us").strip()
    period = _text(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(period) else None


def memory_limit_bytes(root: Path = ROOT) -> int | None:
    """The memory that the control group allows; None without a limit."""
    for place in ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = _text(root / place).strip()
        if text.isdecimal() and int(text) < 1 << 60:  # the older interface says "no limit" with a huge number
            return int(text)
    return None


def container(root: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """What the process is contained in; empty when in nothing."""
    variables = os.environ if environment is None else environment
    if variables.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    if (root / ".dockerenv").exists():
        return "docker"
    if variables.get("SINGULARITY_CONTAINER") or variables.get("APPTAINER_CONTAINER"):
        return "apptainer"
    return variables.get("container", "")[:40]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
