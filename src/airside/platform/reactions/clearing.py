"""What removals for good leave behind."""

from airside.core.operation import SERVICE
from airside.platform.wiring import Platform
from airside.tracking.trash.operations import SweepTrash


def sweep_trash(platform: Platform) -> None:
    """Finish what removals left: whoever began them may be gone."""
    while platform.call(SERVICE, SweepTrash()).left:
        pass
