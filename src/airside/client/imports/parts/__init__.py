"""What is taken over, in the order in which it is: one small file for each kind of thing."""

from airside.client.imports.parts.evaluation import EvaluationDatasets, Scorers
from airside.client.imports.parts.logged_models import LoggedModels
from airside.client.imports.parts.models import Models
from airside.client.imports.parts.port import Part
from airside.client.imports.parts.runs import Runs
from airside.client.imports.parts.traces import Traces
from airside.client.imports.parts.versions import Versions
from airside.client.imports.parts.webhooks import Webhooks

PARTS: tuple[Part, ...] = (
    Runs(),
    LoggedModels(),
    Models(),
    Versions(),
    Traces(),
    EvaluationDatasets(),
    Scorers(),
    Webhooks(),
)
"""Behind the experiments, which everything belongs to. Versions come behind runs: their files are there by then."""

__all__ = ["PARTS", "Part"]
