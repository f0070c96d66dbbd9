"""A model has a new name: what serving keeps of it follows."""

import msgspec

from airside.core.ids import ModelName
from airside.core.operation import Context
from airside.serving import progress, queries

AT_ONCE = 2000
"""Batches of the prediction log that are changed in one transaction."""


def follow_rename(ctx: Context, name: ModelName, new_name: ModelName) -> bool:
    """Call the model by its new name; True if there is more to do. Serving processes hear of a new routing."""
    endpoints = queries.endpoints(ctx.tx, after="", limit=10_000, model=name)
    renamed = queries.rename_model(ctx.tx, name, new_name, AT_ONCE)
    for endpoint in endpoints:
        progress.save_endpoint(ctx, msgspec.structs.replace(endpoint, model=new_name))
    return renamed == AT_ONCE
