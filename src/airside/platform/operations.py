"""Every operation, room by room: the one table that routes, client, command line and documentation are read off."""

from airside.core.operation import AnyOperation
from airside.data.operations import OPERATIONS as DATA
from airside.governance.operations import OPERATIONS as GOVERNANCE
from airside.monitoring.operations import OPERATIONS as MONITORING
from airside.pipelines.operations import OPERATIONS as PIPELINES
from airside.platform.access.tokens import OPERATIONS as TOKENS
from airside.platform.house import OPERATIONS as HOUSE
from airside.platform.notify.imports import OPERATIONS as IMPORTING_WEBHOOKS
from airside.platform.notify.operations import OPERATIONS as WEBHOOKS
from airside.quality.operations import OPERATIONS as QUALITY
from airside.registry.operations import OPERATIONS as REGISTRY
from airside.serving.operations import OPERATIONS as SERVING
from airside.tower.operations import OPERATIONS as TOWER
from airside.tracking.artifacts import OPERATIONS as ARTIFACTS
from airside.tracking.capture.operations import OPERATIONS as CAPTURES
from airside.tracking.evaluation.operations import OPERATIONS as EVALUATION
from airside.tracking.imports.comparing import OPERATIONS as COMPARING
from airside.tracking.imports.evaluation import OPERATIONS as IMPORTING_EVALUATION
from airside.tracking.imports.journal import OPERATIONS as IMPORTS
from airside.tracking.imports.operations import OPERATIONS as IMPORTING
from airside.tracking.imports.traces import OPERATIONS as IMPORTING_TRACES
from airside.tracking.logged_models.operations import OPERATIONS as LOGGED_MODELS
from airside.tracking.operations.table import OPERATIONS as TRACKING
from airside.tracking.traces.operations import OPERATIONS as TRACES
from airside.tracking.trash.operations import OPERATIONS as TRASH

OPERATIONS: tuple[AnyOperation, ...] = (
    *HOUSE,
    *TOKENS,
    *WEBHOOKS,
    *IMPORTING_WEBHOOKS,
    *TRACKING,
    *CAPTURES,
    *LOGGED_MODELS,
    *ARTIFACTS,
    *IMPORTS,
    *IMPORTING,
    *COMPARING,
    *IMPORTING_TRACES,
    *IMPORTING_EVALUATION,
    *TRACES,
    *EVALUATION,
    *TRASH,
    *DATA,
    *REGISTRY,
    *QUALITY,
    *PIPELINES,
    *SERVING,
    *MONITORING,
    *GOVERNANCE,
    *TOWER,
)
BY_NAME: dict[str, AnyOperation] = {operation.name: operation for operation in OPERATIONS}
