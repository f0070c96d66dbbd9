"""The verbs of the room `pipelines`."""

from airside.core.operation import AnyOperation
from airside.pipelines.operations import pipelines, runs, steps, triggers

OPERATIONS: tuple[AnyOperation, ...] = (
    *pipelines.OPERATIONS,
    *runs.OPERATIONS,
    *steps.OPERATIONS,
    *triggers.OPERATIONS,
)
