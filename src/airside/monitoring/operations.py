"""The verbs of the room `monitoring`."""

from airside.core.operation import AnyOperation

OPERATIONS: tuple[AnyOperation, ...] = ()
