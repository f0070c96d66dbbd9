"""The verbs of the room `quality`."""

from airside.core.operation import AnyOperation

OPERATIONS: tuple[AnyOperation, ...] = ()
