"""The verbs of the room `data`."""

from airside.core.operation import AnyOperation
from airside.data.operations.datasets import (
    create_dataset,
    delete_dataset,
    get_dataset,
    search_datasets,
    update_dataset,
)
from airside.data.operations.versions import (
    commit_dataset_version,
    diff_dataset_versions,
    get_dataset_version,
    list_dataset_versions,
    verify_dataset_version,
)

OPERATIONS: tuple[AnyOperation, ...] = (
    create_dataset,
    get_dataset,
    search_datasets,
    update_dataset,
    delete_dataset,
    commit_dataset_version,
    get_dataset_version,
    list_dataset_versions,
    diff_dataset_versions,
    verify_dataset_version,
)
