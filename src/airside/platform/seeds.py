"""What a store must hold from the first moment on. Each is run at every start and changes nothing the second time."""

from collections.abc import Callable

from airside.core.operation import Context
from airside.tracking.operations.experiments import seed as default_experiment

SEEDS: tuple[Callable[[Context], None], ...] = (default_experiment,)
