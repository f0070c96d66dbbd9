"""What a store must hold from the first moment on. Each is run at every start and changes nothing the second time."""

from collections.abc import Callable

from airside.core.operation import Context

SEEDS: tuple[Callable[[Context], None], ...] = ()
