"""The verbs of the room `inference`."""

from airside.core.operation import AnyOperation

OPERATIONS: tuple[AnyOperation, ...] = ()
