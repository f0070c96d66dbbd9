"""All verbs of the room. Apart from the package, so that who needs one module does not import them all."""

from airside.core.operation import AnyOperation
from airside.tracking.operations.experiments import OPERATIONS as EXPERIMENTS
from airside.tracking.operations.histories import OPERATIONS as HISTORIES
from airside.tracking.operations.logging import OPERATIONS as LOGGING
from airside.tracking.operations.naming import OPERATIONS as NAMING
from airside.tracking.operations.runs import OPERATIONS as RUNS

OPERATIONS: tuple[AnyOperation, ...] = (*EXPERIMENTS, *RUNS, *LOGGING, *HISTORIES, *NAMING)
