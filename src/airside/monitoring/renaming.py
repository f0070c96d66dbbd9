"""A model has a new name: what the room keeps of it follows."""

from airside.core.ids import ModelName
from airside.core.operation import Context
from airside.monitoring import queries


def follow_rename(ctx: Context, name: ModelName, new_name: ModelName) -> bool:
    """Call the model by its new name in monitors, windows and alerts; False: there is no more to do."""
    queries.rename_model(ctx.tx, name, new_name)
    return False
