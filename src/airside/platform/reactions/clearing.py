"""What follows a deletion: the runs of a large experiment, and what removals for good leave behind."""

from airside.core.operation import SERVICE
from airside.platform.reacting import Reaction
from airside.platform.wiring import Platform
from airside.tracking.events import ExperimentStaged
from airside.tracking.operations.experiments import SettleExperiment
from airside.tracking.trash.operations import SweepTrash


def settle_experiment(platform: Platform, event: ExperimentStaged, _seq: int) -> None:
    """The rest of an experiment's runs follow it, some thousand at a time, with others' writes in between."""
    while not platform.call(SERVICE, SettleExperiment(experiment_id=event.experiment_id)).is_done:
        pass


def sweep_trash(platform: Platform) -> None:
    """Finish what removals left: whoever began them may be gone."""
    while platform.call(SERVICE, SweepTrash()).left:
        pass


REACTIONS: tuple[Reaction, ...] = (
    Reaction(name="settle_experiment", event=ExperimentStaged, handle=settle_experiment),
)
