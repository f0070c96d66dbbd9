"""Evaluation datasets: their life, their tags, and the experiments that they belong to."""

from collections.abc import Iterable

import msgspec

from airside.core.errors import Invalid, NotFound
from airside.core.ids import ExperimentId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking.evaluation import queries, rules
from airside.tracking.evaluation.records import EvaluationDataset, EvaluationDatasetPage, ExperimentIds
from airside.tracking.queries import experiments
from airside.tracking.records import Tag
from airside.tracking.rules import check_length, experiment_no, last_wins


class CreateEvaluationDataset(Ask[EvaluationDataset]):
    """Ask for a new evaluation dataset."""

    name: str
    experiment_ids: tuple[ExperimentId, ...] = ()
    tags: tuple[Tag, ...] = ()


@operation("evaluation_datasets.create", needs="evaluation:write")
def create_evaluation_dataset(ctx: Context, ask: CreateEvaluationDataset) -> EvaluationDataset:
    """Make an empty evaluation dataset.

    Raises:
        NotFound: there is no such experiment.
        Invalid: the name or a tag breaks a rule.
    """
    rules.check_name(ask.name)
    tags = last_wins(ask.tags)
    _check_tags(tags)
    numbers = _known(ctx, ask.experiment_ids)
    now_ms = ctx.now_ms()
    user = rules.user_of({tag.key: tag.value for tag in tags})
    made = EvaluationDataset(
        dataset_id=ctx.new_id("evaluation_dataset"),
        name=ask.name,
        digest=rules.digest_of(ask.name, now_ms),
        created_ms=now_ms,
        updated_ms=now_ms,
        created_by=user,
        updated_by=user,
        tags=tags,
        experiment_ids=tuple(ExperimentId(str(number)) for number in numbers),
    )
    queries.add(ctx.tx, made)
    return made


class GetEvaluationDataset(Ask[EvaluationDataset]):
    """Ask for an evaluation dataset."""

    dataset_id: str


@operation("evaluation_datasets.get", needs="evaluation:read")
def get_evaluation_dataset(ctx: Context, ask: GetEvaluationDataset) -> EvaluationDataset:
    """An evaluation dataset, with its experiments.

    Raises:
        NotFound: there is no such dataset.
    """
    found = get(ctx, ask.dataset_id)
    return msgspec.structs.replace(found, experiment_ids=queries.experiments(ctx.tx, ask.dataset_id))


class SearchEvaluationDatasets(Ask[EvaluationDatasetPage]):
    """Ask for the evaluation datasets that match, newest first unless told otherwise.

    Attributes:
        experiment_ids: those of these experiments; of any when there is none.
    """

    experiment_ids: tuple[ExperimentId, ...] = ()
    filter: str = ""
    order_by: tuple[str, ...] = ()
    max_results: int = 1000
    page_token: str = ""


@operation("evaluation_datasets.search", needs="evaluation:read")
def search_evaluation_datasets(ctx: Context, ask: SearchEvaluationDatasets) -> EvaluationDatasetPage:
    """Evaluation datasets that match a filter, a page at a time.

    Raises:
        Invalid: the filter, the order or the page token cannot be read.
    """
    numbers = tuple(dict.fromkeys(experiment_no(each) for each in ask.experiment_ids))
    _check_many(numbers)
    return queries.page(ctx, numbers, ask.filter, ask.order_by, (ask.max_results, ask.page_token))


class DeleteEvaluationDataset(Ask[Done]):
    """Ask to delete an evaluation dataset."""

    dataset_id: str


@operation("evaluation_datasets.delete", needs="evaluation:write")
def delete_evaluation_dataset(ctx: Context, ask: DeleteEvaluationDataset) -> Done:
    """Delete an evaluation dataset with its records. Doing it again changes nothing."""
    queries.delete(ctx.tx, ask.dataset_id)
    return DONE


class SetEvaluationDatasetTags(Ask[Done]):
    """Ask to set tags of an evaluation dataset."""

    dataset_id: str
    tags: tuple[Tag, ...]


@operation("evaluation_datasets.set_tags", needs="evaluation:write")
def set_evaluation_dataset_tags(ctx: Context, ask: SetEvaluationDatasetTags) -> Done:
    """Set tags, or overwrite them.

    Raises:
        NotFound: there is no such dataset.
        Invalid: a tag is too long.
    """
    if queries.one(ctx.tx, ask.dataset_id) is None:
        raise NotFound(f"Could not find evaluation dataset with ID {ask.dataset_id[: rules.MAX_NAME]}")
    tags = last_wins(ask.tags)
    _check_tags(tags)
    queries.set_tags(ctx.tx, ask.dataset_id, tags)
    return DONE


class DeleteEvaluationDatasetTag(Ask[Done]):
    """Ask to remove a tag of an evaluation dataset."""

    dataset_id: str
    key: str


@operation("evaluation_datasets.delete_tag", needs="evaluation:write")
def delete_evaluation_dataset_tag(ctx: Context, ask: DeleteEvaluationDatasetTag) -> Done:
    """Remove a tag. Where there is none, nothing changes."""
    queries.drop_tag(ctx.tx, ask.dataset_id, ask.key)
    return DONE


class ListEvaluationDatasetExperiments(Ask[ExperimentIds]):
    """Ask for the experiments that an evaluation dataset belongs to."""

    dataset_id: str


@operation("evaluation_datasets.experiments", needs="evaluation:read")
def list_evaluation_dataset_experiments(ctx: Context, ask: ListEvaluationDatasetExperiments) -> ExperimentIds:
    """The experiments of an evaluation dataset; none when there is no such dataset."""
    return ExperimentIds(items=queries.experiments(ctx.tx, ask.dataset_id))


class AddEvaluationDatasetToExperiments(Ask[EvaluationDataset]):
    """Ask to add an evaluation dataset to experiments."""

    dataset_id: str
    experiment_ids: tuple[ExperimentId, ...]


@operation("evaluation_datasets.add_experiments", needs="evaluation:write")
def add_evaluation_dataset_to_experiments(ctx: Context, ask: AddEvaluationDatasetToExperiments) -> EvaluationDataset:
    """Add an evaluation dataset to experiments; where it is already, nothing changes.

    Raises:
        NotFound: there is no such dataset, or no such experiment.
    """
    found = _linked(ctx, ask.dataset_id)
    queries.add_experiments(ctx.tx, ask.dataset_id, _known(ctx, ask.experiment_ids))
    return _touched(ctx, found)


class RemoveEvaluationDatasetFromExperiments(Ask[EvaluationDataset]):
    """Ask to remove an evaluation dataset from experiments."""

    dataset_id: str
    experiment_ids: tuple[ExperimentId, ...]


@operation("evaluation_datasets.remove_experiments", needs="evaluation:write")
def remove_evaluation_dataset_from_experiments(
    ctx: Context, ask: RemoveEvaluationDatasetFromExperiments
) -> EvaluationDataset:
    """Remove an evaluation dataset from experiments; where it is not, nothing changes.

    Raises:
        NotFound: there is no such dataset.
    """
    found = _linked(ctx, ask.dataset_id)
    numbers = [experiment_no(each) for each in ask.experiment_ids]
    _check_many(numbers)
    return _touched(ctx, found) if queries.remove_experiments(ctx.tx, ask.dataset_id, numbers) else found


def get(ctx: Context, dataset_id: str) -> EvaluationDataset:
    """A dataset without its experiments.

    Raises:
        NotFound: there is none of that id.
    """
    found = queries.one(ctx.tx, dataset_id)
    if found is None:
        raise NotFound(f"Evaluation dataset with id '{dataset_id[: rules.MAX_NAME]}' not found")
    return found


def _linked(ctx: Context, dataset_id: str) -> EvaluationDataset:
    found = queries.one(ctx.tx, dataset_id)
    if found is None:
        raise NotFound(f"Dataset '{dataset_id[: rules.MAX_NAME]}' not found")
    return found


def _touched(ctx: Context, found: EvaluationDataset) -> EvaluationDataset:
    changed = msgspec.structs.replace(found, updated_ms=ctx.now_ms())
    queries.update(ctx.tx, changed)
    return changed


def _known(ctx: Context, ids: Iterable[str]) -> list[int]:
    numbers = list(dict.fromkeys(experiment_no(each) for each in ids))
    _check_many(numbers)
    for number in numbers:
        if experiments.stage(ctx.tx, number) is None:
            raise NotFound(f"No Experiment with id={number}")
    return numbers


def _check_many(numbers: list[int] | tuple[int, ...]) -> None:
    if len(numbers) > rules.MAX_EXPERIMENTS:
        raise Invalid(f"At most {rules.MAX_EXPERIMENTS} experiments can be named at once, got {len(numbers)}.")


def _check_tags(tags: tuple[Tag, ...]) -> None:
    if len(tags) > rules.MAX_TAGS:
        raise Invalid(f"An evaluation dataset can have at most {rules.MAX_TAGS} tags, got {len(tags)}.")
    for tag in tags:
        check_length(tag.key, "key", rules.MAX_NAME)
        check_length(tag.value, "value", 5000)


OPERATIONS: tuple[AnyOperation, ...] = (
    create_evaluation_dataset,
    get_evaluation_dataset,
    search_evaluation_datasets,
    delete_evaluation_dataset,
    set_evaluation_dataset_tags,
    delete_evaluation_dataset_tag,
    list_evaluation_dataset_experiments,
    add_evaluation_dataset_to_experiments,
    remove_evaluation_dataset_from_experiments,
)
