"""Whether what is here is what the source has. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from airside.core.errors import Conflict, Invalid
from airside.core.record import Record
from airside.tracking.evaluation.records import EvaluationDataset, ScorerVersion
from airside.tracking.imports.records import Difference, ImportedTrace, Series
from airside.tracking.logged_models.records import LoggedModel
from airside.tracking.records import DatasetInput, Experiment, Run

MAX_ITEMS = 500
MAX_POINTS = 10_000
MAX_NAMED = 20
OUT_OF_THE_WAY = (
    " Let those whose id or name is another experiment's here have new ids with --experiment-ids new (of a folder: "
    "--new-ids): one whose name is here already is merged into it."
)

Place = Literal["add", "same", "adopt", "merge", "elsewhere", "differs"]


def run_difference(found: Run, given: Run) -> str:
    """Where two forms of a run differ first; empty when they are one. Metrics are not looked at."""
    return first_difference(_run_parts(found), _run_parts(given))


def model_difference(found: LoggedModel, given: LoggedModel) -> str:
    """Where two forms of a logged model differ first; empty when they are one. Metrics are not looked at."""
    return first_difference(_model_parts(found), _model_parts(given))


def trace_difference(found: ImportedTrace, given: ImportedTrace) -> str:
    """Where two forms of a trace differ first; empty when they are one. Spans are not looked at."""
    return first_difference(_trace_parts(found), _trace_parts(given))


def dataset_difference(found: EvaluationDataset, given: EvaluationDataset) -> str:
    """Where two forms of an evaluation dataset differ first; empty when they are one. Records are not looked at."""
    return first_difference(_dataset_parts(found), _dataset_parts(given))


def scorer_difference(found: ScorerVersion, given: ScorerVersion) -> str:
    """Where two forms of a version of a scorer differ first; empty when they are one. One joins another of its name."""
    return first_difference(_fields(found, "serialized", "created_ms"), _fields(given, "serialized", "created_ms"))


def experiment_difference(found: Experiment, given: Experiment) -> str:
    """Where two forms of an experiment differ first; empty when they are one."""
    return first_difference(_with_sorted_tags(found), _with_sorted_tags(given))


def first_difference(found: dict[str, Any], given: dict[str, Any]) -> str:
    """The first name under which two dictionaries hold different values.

    >>> first_difference({"name": "a", "end": 1}, {"name": "a", "end": 2})
    'end: 1 here, 2 in the source'
    """
    for name, value in given.items():
        if found.get(name) != value:
            return f"{name}: {_shown(found.get(name))} here, {_shown(value)} in the source"
    return ""


def placed(by_id: Experiment | None, by_name: Experiment | None, given: Experiment, *, is_unused: bool) -> Place:
    """Where an experiment of the source belongs.

    Args:
        by_id: what has its id here.
        by_name: what has its name here.
        given: the experiment.
        is_unused: whether `by_id` is the experiment 0 of a new store, which nobody has used.

    Returns:
        `add`: both are free. `same`: it is here. `adopt`: the unused experiment 0 becomes it. `merge`: it is here,
        with other facts. `elsewhere`: its name is under another id. `differs`: its id is another experiment's.
    """
    if by_id is None and by_name is None:
        return "add"
    if by_id is not None and not experiment_difference(by_id, given):
        return "same"
    if by_id is not None and is_unused and (by_name is None or by_name.experiment_id == by_id.experiment_id):
        return "adopt"
    if by_id is not None and by_id.name == given.name:
        return "merge"
    return "elsewhere" if by_name is not None else "differs"


def check_size(items: Sequence[object], most: int = MAX_ITEMS) -> None:
    """Refuse a batch that is too large.

    Raises:
        Invalid: it is.
    """
    if len(items) > most:
        raise Invalid(f"At most {most} at once, got {len(items)}. Send them in several calls.")


def check_series(series: Iterable[Series]) -> None:
    """Refuse columns that are no points.

    Raises:
        Invalid: they have different lengths, or are too long altogether.
    """
    total = 0
    for one in series:
        lengths = {len(one.timestamps_ms), len(one.steps), len(one.values)}
        if len(lengths) > 1:
            raise Invalid(f"The columns of '{one.key}' of the run {one.run_id} have different lengths.")
        if one.timestamps_ms and min(one.timestamps_ms) < 0:
            raise Invalid(f"A point of '{one.key}' of the run {one.run_id} has a time before 1970.")
        total += len(one.values)
    if total > MAX_POINTS:
        raise Invalid(f"At most {MAX_POINTS} points at once, got {total}. Send them in several calls.")


def refusal(kind: str, differing: Sequence[Difference], hint: str = "") -> Conflict:
    """The error of things that are here already, with other content.

    Args:
        kind: what they are, in the plural.
        differing: which, and where they differ.
        hint: another way out.
    """
    named = "; ".join(f"{each.id} ({each.what})" for each in differing[:MAX_NAMED])
    more = f" … and {len(differing) - MAX_NAMED} more" if len(differing) > MAX_NAMED else ""
    return Conflict(
        f"{len(differing)} {kind} of the source are here already with other content, and an import overwrites "
        f"nothing: {named}{more}. Leave them as they are with --skip-existing.{hint}"
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _pairs(items: Iterable[Any]) -> list[tuple[str, str]]:
    return sorted((item.key, item.value) for item in items)


def _inputs(items: Iterable[DatasetInput]) -> list[tuple[object, ...]]:
    return sorted((given.dataset.name, given.dataset.digest, _pairs(given.tags)) for given in items)


def _fields(record: Record, *names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names or record.__struct_fields__}


def _run_parts(run: Run) -> dict[str, Any]:
    return {
        **_fields(run.info),
        "params": _pairs(run.params),
        "tags": _pairs(run.tags),
        "dataset inputs": _inputs(run.dataset_inputs),
        "model inputs": sorted(run.model_inputs),
        "model outputs": sorted((output.model_id, output.step) for output in run.model_outputs),
    }


def _model_parts(model: LoggedModel) -> dict[str, Any]:
    parts = {**_fields(model), "params": _pairs(model.params), "tags": _pairs(model.tags)}
    del parts["metrics"]
    return parts


def _with_sorted_tags(experiment: Experiment) -> dict[str, Any]:
    return {**_fields(experiment), "tags": _pairs(experiment.tags)}


def _trace_parts(trace: ImportedTrace) -> dict[str, Any]:
    assessments = {each.assessment_id: _fields(each) for each in trace.info.assessments}
    return {
        **_fields(trace.info),
        "assessments": assessments,
        "runs": sorted(trace.run_ids),
        "prompts": sorted(trace.prompts),
    }


def _dataset_parts(dataset: EvaluationDataset) -> dict[str, Any]:
    return {**_fields(dataset), "tags": _pairs(dataset.tags), "experiment_ids": sorted(dataset.experiment_ids)}
