"""NVIDIA's processors through the driver's own library (NVML), by ctypes: nothing needs to be installed for it.

The names and layouts are those of NVML's API reference (nvml.h). Where there is no driver there is no library, and
nothing is told.
"""

import ctypes
from typing import Any

from airside.core.record import Record
from airside.tracking.capture.records import Gpu

LIBRARIES = ("libnvidia-ml.so.1", "libnvidia-ml.so", "nvml.dll")
NAME_BYTES = 96
MAX_GPUS = 64


class _Memory(ctypes.Structure):
    """`nvmlMemory_t`."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Utilization(ctypes.Structure):
    """`nvmlUtilization_t`."""

    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class GpuSample(Record):
    """What a processor is doing; None where the driver does not say."""

    utilization: float | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    power_watts: float | None = None
    power_limit_watts: float | None = None


class Nvidia:
    """The driver's library, open. Not thread-safe."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._handles = [handle for at in range(self._count()) if (handle := self._handle(at)) is not None]

    @classmethod
    def opened(cls, load: Any = ctypes.CDLL) -> "Nvidia | None":
        """The library, or None where there is no driver."""
        for name in LIBRARIES:
            try:
                library = load(name)
            except OSError:
                continue
            if library.nvmlInit_v2() == 0:
                return cls(library)
        return None

    @property
    def driver(self) -> str:
        """The driver's version; empty when it does not say."""
        return self._text(self._library.nvmlSystemGetDriverVersion)

    def gpus(self) -> tuple[Gpu, ...]:
        """The processors."""
        return tuple(
            Gpu(
                name=self._text(lambda text, size, at=handle: self._library.nvmlDeviceGetName(at, text, size)),
                memory_bytes=self._memory(handle).total,
            )
            for handle in self._handles
        )

    def samples(self) -> tuple[GpuSample, ...]:
        """What each processor is doing now."""
        return tuple(self._sample(handle) for handle in self._handles)

    def close(self) -> None:
        """Let the library go."""
        self._library.nvmlShutdown()

    def _sample(self, handle: Any) -> GpuSample:
        library, memory, busy = self._library, self._memory(handle), _Utilization()
        is_busy_known = library.nvmlDeviceGetUtilizationRates(handle, ctypes.byref(busy)) == 0
        return GpuSample(
            utilization=float(busy.gpu) if is_busy_known else None,
            memory_used_bytes=memory.used if memory.total else None,
            memory_total_bytes=memory.total or None,
            power_watts=self._milliwatts(library.nvmlDeviceGetPowerUsage, handle),
            power_limit_watts=self._milliwatts(library.nvmlDeviceGetEnforcedPowerLimit, handle),
        )

    def _milliwatts(self, ask: Any, handle: Any) -> float | None:
        found = ctypes.c_uint()
        return found.value / 1000 if ask(handle, ctypes.byref(found)) == 0 else None

    def _memory(self, handle: Any) -> _Memory:
        memory = _Memory()
        if self._library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) != 0:
            return _Memory()
        return memory

    def _count(self) -> int:
        count = ctypes.c_uint()
        is_known = self._library.nvmlDeviceGetCount_v2(ctypes.byref(count)) == 0
        return min(count.value, MAX_GPUS) if is_known else 0

    def _handle(self, at: int) -> ctypes.c_void_p | None:
        handle = ctypes.c_void_p()
        found = self._library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(at), ctypes.byref(handle))
        return handle if found == 0 else None

    def _text(self, ask: Any) -> str:
        text = ctypes.create_string_buffer(NAME_BYTES)
        return text.value.decode(errors="replace") if ask(text, ctypes.c_uint(NAME_BYTES)) == 0 else ""
