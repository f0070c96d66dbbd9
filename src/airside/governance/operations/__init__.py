"""The verbs of the room `governance`."""

from airside.core.operation import AnyOperation
from airside.governance.operations.cards import get_card
from airside.governance.operations.evidence import list_evidence, record_evidence
from airside.governance.operations.scores import get_score

OPERATIONS: tuple[AnyOperation, ...] = (record_evidence, list_evidence, get_card, get_score)
