"""Evaluation datasets with their records, and scorers with their versions: what an application is judged by."""

import json
from typing import Any

from airside.core.clock import from_ms
from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.core.record import Record
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt, no_action
from airside.server.web.pages.versions import version_number
from airside.tracking.evaluation.operations.datasets import (
    AddEvaluationDatasetToExperiments,
    CreateEvaluationDataset,
    DeleteEvaluationDataset,
    DeleteEvaluationDatasetTag,
    GetEvaluationDataset,
    RemoveEvaluationDatasetFromExperiments,
    SearchEvaluationDatasets,
    SetEvaluationDatasetTags,
)
from airside.tracking.evaluation.operations.records import DeleteEvaluationRecords, ListEvaluationRecords
from airside.tracking.evaluation.operations.scorers import DeleteScorer, ListScorersOf, ListScorerVersions
from airside.tracking.evaluation.records import EvaluationDatasetPage, EvaluationRecord, ScorerVersion, ScorerVersions
from airside.tracking.operations.experiments import GetExperiment
from airside.tracking.records import Experiment, Tag

SET_HEADS = ("dataset_id", "name", "n_records", "digest", "created_ms", "updated_ms", "created_by")
RECORD_HEADS = ("record_id", "inputs", "outputs", "expectations", "source", "created_ms", "updated_ms")
MAX_LINKED = 50
LONG = 300


class Told(Record):
    """A field of a record as it is shown: its beginning, and all of it where that is more."""

    name: str
    text: str
    rest: str = ""


class Row(Record):
    """A record as a row."""

    it: EvaluationRecord
    inputs: tuple[Told, ...]
    outputs: tuple[Told, ...]
    expectations: tuple[Told, ...]


class Facts(Record):
    """A version of a scorer: what its text says, and the text itself."""

    it: ScorerVersion
    facts: tuple[Told, ...]
    text: str


def datasets(call: Call, query: PageQuery) -> View:
    """The evaluation datasets of an experiment, newest first."""
    experiment = call(GetExperiment(experiment_id=ExperimentId(query.names["experiment"])))
    text = query.arguments.get("filter", "")
    ask = SearchEvaluationDatasets(
        experiment_ids=(experiment.experiment_id,),
        filter=text,
        max_results=50,
        page_token=query.arguments.get("after", ""),
    )
    found = attempt(call, ask)
    page = EvaluationDatasetPage(items=()) if isinstance(found, Trouble) else found
    return View(
        template="evaluation_datasets.html",
        title=experiment.name,
        place="Experiments",
        crumbs=_crumbs(experiment, Crumb(text="Evaluation data")),
        shows={"experiment": experiment, "found": found, "page": page, "text": text},
        data=found,
        table=Table(heads=SET_HEADS, rows=tuple(tuple(getattr(one, head) for head in SET_HEADS) for one in page.items)),
    )


def _crumbs(experiment: Experiment, *more: Crumb) -> tuple[Crumb, ...]:
    runs = address("/experiments/{}/runs", experiment.experiment_id)
    return (Crumb(text="Experiments", href="/experiments"), Crumb(text=experiment.name, href=runs), *more)


def create(call: Call, query: PageQuery) -> View:
    """Make an empty evaluation dataset of an experiment."""
    of = ExperimentId(query.names["experiment"])
    made = call(CreateEvaluationDataset(name=query.form.get("name", "").strip(), experiment_ids=(of,)))
    return View(redirect=address("/evaluation-datasets/{}", made.dataset_id), data=made)


def dataset(call: Call, query: PageQuery) -> View:
    """One evaluation dataset with its records, oldest first."""
    found = call(GetEvaluationDataset(dataset_id=query.names["dataset"]))
    linked = [attempt(call, GetExperiment(experiment_id=one)) for one in found.experiment_ids[:MAX_LINKED]]
    known = [one for one in linked if not isinstance(one, Trouble)]
    size = query.number("size", 50, least=1, most=200)
    page = call(
        ListEvaluationRecords(
            dataset_id=found.dataset_id, max_results=size, page_token=query.arguments.get("after", "")
        )
    )
    leads = address("/experiments/{}/evaluation-datasets", known[0].experiment_id) if known else ""
    return View(
        template="evaluation_dataset.html",
        title=found.name,
        place="Experiments",
        crumbs=(*_crumbs(known[0], Crumb(text="Evaluation data", href=leads)), Crumb(text=found.name))
        if known
        else (Crumb(text="Experiments", href="/experiments"), Crumb(text=found.name)),
        shows={
            "dataset": found,
            "linked": known,
            "tags": {tag.key: tag.value for tag in found.tags},
            "page": page,
            "rows": tuple(_row(one) for one in page.items),
            "from_ms": from_ms,
        },
        data={"dataset": found, "records": page},
        table=Table(heads=RECORD_HEADS, rows=tuple(_cells(one) for one in page.items)),
    )


def _cells(one: EvaluationRecord) -> tuple[object, ...]:
    source = one.source.source_type if one.source else None
    said = (_json(one.inputs), _json(one.outputs), _json(one.expectations))
    return (one.record_id, *said, source, one.created_ms, one.updated_ms)


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _row(one: EvaluationRecord) -> Row:
    return Row(it=one, inputs=_told(one.inputs), outputs=_told(one.outputs), expectations=_told(one.expectations))


def _told(value: Any) -> tuple[Told, ...]:
    """The fields of a value; a value without fields is one without a name.

    >>> [(one.name, one.text) for one in _told({"answer": "42", "guidelines": ["kind"]})]
    [('answer', '42'), ('guidelines', '["kind"]')]
    """
    if value is None or value in ({}, []):
        return ()
    fields = value.items() if isinstance(value, dict) else (("", value),)
    return tuple(_field(str(name), said) for name, said in fields)


def _field(name: str, said: Any) -> Told:
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return Told(name=name, text=text) if len(text) <= LONG else Told(name=name, text=f"{text[:LONG]}…", rest=text)


def change(call: Call, query: PageQuery) -> View:
    """Tag or delete an evaluation dataset, delete records of it, or say which experiments it belongs to.

    Raises:
        Invalid: it is to be deleted, and its name was not typed; or the form asks for something else.
    """
    of, form = query.names["dataset"], query.form
    leads = address("/evaluation-datasets/{}", of)
    match form.get("do", ""):
        case "delete":
            name = call(GetEvaluationDataset(dataset_id=of)).name
            if form.get("name", "").strip() != name:
                raise Invalid(f"To delete an evaluation dataset with its records, type its name: {name}")
            done: object = call(DeleteEvaluationDataset(dataset_id=of))
            leads = "/experiments"
        case "records":
            chosen = tuple(dict.fromkeys(query.form_several.get("record", ())))
            done = call(DeleteEvaluationRecords(dataset_id=of, record_ids=chosen))
        case "link" | "unlink" as which:
            ids = (ExperimentId(form.get("experiment", "").strip()),)
            if which == "link":
                done = call(AddEvaluationDatasetToExperiments(dataset_id=of, experiment_ids=ids))
            else:
                done = call(RemoveEvaluationDatasetFromExperiments(dataset_id=of, experiment_ids=ids))
        case "untag":
            done = call(DeleteEvaluationDatasetTag(dataset_id=of, key=form.get("key", "")))
        case "tag":
            tag = Tag(key=form.get("key", "").strip(), value=form.get("value", ""))
            done = call(SetEvaluationDatasetTags(dataset_id=of, tags=(tag,)))
        case other:
            raise no_action(other)
    return View(redirect=leads, data=done)


def scorers(call: Call, query: PageQuery) -> View:
    """The scorers of an experiment: the newest version of each."""
    experiment = call(GetExperiment(experiment_id=ExperimentId(query.names["experiment"])))
    found = attempt(call, ListScorersOf(experiment_id=experiment.experiment_id))
    items = () if isinstance(found, Trouble) else found.items
    heads = ("name", "version", "scorer_id", "created_ms")
    return View(
        template="scorers.html",
        title=experiment.name,
        place="Experiments",
        crumbs=_crumbs(experiment, Crumb(text="Scorers")),
        shows={"experiment": experiment, "found": found, "items": tuple(_facts(one) for one in items)},
        data=found,
        table=Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in items)),
    )


def scorer(call: Call, query: PageQuery) -> View:
    """One scorer with its versions; the newest is open unless another is asked for."""
    of, name = ExperimentId(query.names["experiment"]), query.names["scorer"]
    experiment = call(GetExperiment(experiment_id=of))
    items = call(ListScorerVersions(experiment_id=of, name=name)).items[::-1]
    wanted = query.number("version", items[0].version if items else 0, least=0, most=10**9)
    shown = next((one for one in items if one.version == wanted), None)
    leads = address("/experiments/{}/scorers", of)
    return View(
        template="scorer.html",
        title=name,
        place="Experiments",
        crumbs=_crumbs(experiment, Crumb(text="Scorers", href=leads), Crumb(text=name)),
        shows={
            "experiment": experiment,
            "name": name,
            "items": items,
            "shown": _facts(shown) if shown else None,
        },
        data=ScorerVersions(items=items),
        table=Table(
            heads=("name", "version", "created_ms"),
            rows=tuple((one.name, one.version, one.created_ms) for one in items),
        ),
    )


def _facts(one: ScorerVersion) -> Facts:
    """What the text of a scorer says, its empty fields left out."""
    try:
        told = json.loads(one.serialized)
    except ValueError:
        return Facts(it=one, facts=(), text=one.serialized)
    fields = told if isinstance(told, dict) else {}
    inner = next((value for value in fields.values() if isinstance(value, dict)), {})
    shown = {**fields, **inner}
    facts = tuple(
        _field(str(key), value)
        for key, value in shown.items()
        if value not in (None, "", [], {}) and value is not inner
    )
    return Facts(it=one, facts=facts, text=json.dumps(told, ensure_ascii=False, indent=1))


def change_scorer(call: Call, query: PageQuery) -> View:
    """Delete a version of a scorer, or all of them.

    Raises:
        Invalid: the name was not typed, or the version is no number.
    """
    of, name = ExperimentId(query.names["experiment"]), query.names["scorer"]
    if query.form.get("name", "").strip() != name:
        raise Invalid(f"To delete a scorer for good, type its name: {name}")
    number = query.form.get("version", "")
    done = call(DeleteScorer(experiment_id=of, name=name, version=version_number(number) if number else None))
    return View(redirect=address("/experiments/{}/scorers", of), data=done)
