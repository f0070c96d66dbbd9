"""The verbs of the room `pipelines`."""

from airside.core.operation import AnyOperation

OPERATIONS: tuple[AnyOperation, ...] = ()
