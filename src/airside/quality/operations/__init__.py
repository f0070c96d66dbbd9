"""The verbs of the room `quality`."""

from airside.core.operation import AnyOperation
from airside.quality.operations.gates import decide_gate, get_gate, list_gates
from airside.quality.operations.suites import get_suite, set_suite

OPERATIONS: tuple[AnyOperation, ...] = (set_suite, get_suite, decide_gate, get_gate, list_gates)
