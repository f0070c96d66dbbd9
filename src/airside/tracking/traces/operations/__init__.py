"""The verbs on traces, one module for each noun."""

from airside.core.operation import AnyOperation
from airside.tracking.traces.operations.assessments import OPERATIONS as ASSESSMENTS
from airside.tracking.traces.operations.labels import OPERATIONS as LABELS
from airside.tracking.traces.operations.reading import OPERATIONS as READING
from airside.tracking.traces.operations.writing import OPERATIONS as WRITING

OPERATIONS: tuple[AnyOperation, ...] = (*WRITING, *READING, *LABELS, *ASSESSMENTS)
