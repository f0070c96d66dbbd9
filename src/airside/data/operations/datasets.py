"""What may be done with a dataset."""

import re

from airside.core.errors import AlreadyExists, Conflict, Invalid, NotFound
from airside.core.ids import DatasetName
from airside.core.operation import Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import DONE, Ask, Done
from airside.data import queries
from airside.data.records import Dataset, DatasetPage

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")
MAX_DESCRIPTION = 10_000


class CreateDataset(Ask[Dataset]):
    """Name a dataset, before its first version."""

    name: DatasetName
    owner: str = ""
    description: str = ""


@operation("datasets.create", needs="dataset:write")
def create_dataset(ctx: Context, ask: CreateDataset) -> Dataset:
    """Create a dataset without versions.

    Raises:
        Invalid: the name or the description is none.
        AlreadyExists: there is one of that name.
    """
    _check_words(ask.name, ask.description)
    if queries.dataset(ctx, ask.name) is not None:
        raise AlreadyExists(f"There is a dataset '{ask.name}' already. Add a version to it, or take another name.")
    now = ctx.clock.now()
    made = Dataset(
        name=ask.name,
        owner=ask.owner or ctx.actor.name,
        description=ask.description,
        created_at=now,
        created_by=ctx.actor.name,
        updated_at=now,
    )
    queries.insert_dataset(ctx, made)
    return made


class GetDataset(Ask[Dataset]):
    """Which dataset."""

    name: DatasetName


@operation("datasets.get", needs="dataset:read")
def get_dataset(ctx: Context, ask: GetDataset) -> Dataset:
    """The dataset of a name.

    Raises:
        NotFound: there is none.
    """
    found = queries.dataset(ctx, ask.name)
    if found is None:
        raise NotFound(f"No dataset '{ask.name}'. List them with: airside datasets search")
    return found


class SearchDatasets(Ask[DatasetPage]):
    """Datasets whose name contains a text, letters of either case; all, for the empty text."""

    text: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("datasets.search", needs="dataset:read")
def search_datasets(ctx: Context, ask: SearchDatasets) -> DatasetPage:
    """Datasets by name; the page token is the last name seen.

    Raises:
        Invalid: the page's size is out of bounds.
    """
    size = page_size(ask.max_results)
    found = queries.datasets(ctx, text=ask.text, after=ask.page_token, limit=size + 1)
    items, following = cut(found, size, lambda dataset: dataset.name)
    return DatasetPage(items=items, next_page_token=following)


class UpdateDataset(Ask[Dataset]):
    """New words about a dataset; what is None stays."""

    name: DatasetName
    owner: str | None = None
    description: str | None = None


@operation("datasets.update", needs="dataset:write")
def update_dataset(ctx: Context, ask: UpdateDataset) -> Dataset:
    """Change the owner or the description.

    Raises:
        NotFound: there is no such dataset.
        Invalid: the description is too long.
    """
    found = get_dataset(ctx, GetDataset(name=ask.name))
    owner = found.owner if ask.owner is None else ask.owner
    description = found.description if ask.description is None else ask.description
    _check_words(ask.name, description)
    queries.update_dataset(ctx, ask.name, owner, description)
    return get_dataset(ctx, GetDataset(name=ask.name))


class DeleteDataset(Ask[Done]):
    """Which dataset to forget."""

    name: DatasetName


@operation("datasets.delete", needs="dataset:delete")
def delete_dataset(ctx: Context, ask: DeleteDataset) -> Done:
    """Forget a dataset that has no version; one with versions is part of the lineage and stays.

    Raises:
        NotFound: there is no such dataset.
        Conflict: it has versions.
    """
    found = get_dataset(ctx, GetDataset(name=ask.name))
    if found.newest:
        raise Conflict(
            f"The dataset '{ask.name}' has {found.newest} versions, and runs may point to them. "
            "A dataset with versions cannot be deleted."
        )
    queries.delete_dataset(ctx, ask.name)
    return DONE


def _check_words(name: str, description: str) -> None:
    if not _NAME.match(name):
        raise Invalid(
            f"'{name[:200]}' cannot name a dataset. Use letters, digits, '.', '_' and '-', "
            "a letter or digit first, at most 200."
        )
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(f"The description has {len(description)} characters; the limit is {MAX_DESCRIPTION}.")
