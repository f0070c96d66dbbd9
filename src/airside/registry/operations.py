"""The verbs of the room `registry`."""

from airside.core.operation import AnyOperation

OPERATIONS: tuple[AnyOperation, ...] = ()
