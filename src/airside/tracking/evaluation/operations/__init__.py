"""The verbs of evaluation, one module for each noun."""

from airside.core.operation import AnyOperation
from airside.tracking.evaluation.operations.datasets import OPERATIONS as DATASETS
from airside.tracking.evaluation.operations.records import OPERATIONS as RECORDS
from airside.tracking.evaluation.operations.scorers import OPERATIONS as SCORERS

OPERATIONS: tuple[AnyOperation, ...] = (*DATASETS, *RECORDS, *SCORERS)
