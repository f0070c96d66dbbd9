"""How the random generators that are loaded were seeded, and how thread pools are set. Nothing is imported for it."""

import hashlib
import os
import random
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from airside.tracking.capture.records import Fact

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
    "TBB_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
)
SEED_VARIABLES = ("PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "PL_GLOBAL_SEED", "TF_DETERMINISTIC_OPS")
_FRESH = 624
"""Where the Mersenne Twister stands when it was seeded and not used since."""


def seeds() -> tuple[Fact, ...]:
    """The seeds and states of random generators at this moment."""
    facts = [Fact(name=name, value=os.environ[name]) for name in SEED_VARIABLES if os.environ.get(name)]
    for name, describe in (("random", _python), ("numpy", _numpy), ("torch", _torch), ("tensorflow", _tensorflow)):
        with suppress(Exception):  # another package's inner state: what it does not tell is not known
            facts += [Fact(name=key, value=value) for key, value in describe() if name in sys.modules]
    return tuple(facts)


def threads() -> tuple[Fact, ...]:
    """The settings of thread pools: variables, and what loaded packages say."""
    facts = [Fact(name=name, value=os.environ[name]) for name in THREAD_VARIABLES if os.environ.get(name)]
    torch = sys.modules.get("torch")
    with suppress(Exception):
        if torch is not None:
            facts.append(Fact(name="torch", value=str(torch.get_num_threads())))
            facts.append(Fact(name="torch interop", value=str(torch.get_num_interop_threads())))
    numexpr = sys.modules.get("numexpr")
    with suppress(Exception):
        if numexpr is not None:
            facts.append(Fact(name="numexpr", value=str(numexpr.get_num_threads())))
    return tuple(facts)


def _digest(state: bytes) -> str:
    return f"state sha256:{hashlib.sha256(state).hexdigest()[:16]}"


def _python() -> Iterator[tuple[str, str]]:
    words = random.getstate()[1]
    yield "random", _digest(struct.pack(f"{len(words)}I", *words))


def _numpy() -> Iterator[tuple[str, str]]:
    """NumPy's legacy generator: fresh from `seed(n)`, its first word is n."""
    numpy: Any = sys.modules["numpy"]
    if "numpy.random" not in sys.modules:
        return
    kind, words, place = numpy.random.get_state()[:3]
    text = _digest(words.tobytes() + str(place).encode())
    if kind == "MT19937" and place == _FRESH:
        seed = int(words[0])
        again = numpy.random.RandomState(seed).get_state()
        if (again[1] == words).all():
            text = f"seed {seed}, {text}"
    yield "numpy.random", text


def _torch() -> Iterator[tuple[str, str]]:
    torch: Any = sys.modules["torch"]
    yield "torch", f"seed {torch.initial_seed()}"
    asked: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("torch deterministic algorithms", torch.are_deterministic_algorithms_enabled),
        ("torch cudnn deterministic", lambda: torch.backends.cudnn.deterministic),
        ("torch cudnn benchmark", lambda: torch.backends.cudnn.benchmark),
    )
    for name, ask in asked:
        yield name, str(bool(ask())).lower()


def _tensorflow() -> Iterator[tuple[str, str]]:
    context: Any = sys.modules["tensorflow.python.eager.context"]
    seed = context.global_seed()
    if seed is not None:
        yield "tensorflow", f"seed {seed}"
