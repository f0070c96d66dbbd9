"""MLflow's calls of evaluation datasets (contract, section 12.4): a table of routes."""

import json
from collections.abc import Callable
from typing import Any

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.server.mlflow.wire import (
    WireRequest,
    WireRoute,
    int32,
    message,
    missing,
    nothing,
    present,
    read,
    repeated,
    shown,
    string,
    write,
)
from airside.tracking.evaluation.operations.datasets import (
    AddEvaluationDatasetToExperiments,
    CreateEvaluationDataset,
    DeleteEvaluationDataset,
    DeleteEvaluationDatasetTag,
    GetEvaluationDataset,
    ListEvaluationDatasetExperiments,
    RemoveEvaluationDatasetFromExperiments,
    SearchEvaluationDatasets,
    SetEvaluationDatasetTags,
)
from airside.tracking.evaluation.operations.records import (
    DeleteEvaluationRecords,
    ListEvaluationRecords,
    UpsertEvaluationRecords,
)
from airside.tracking.evaluation.records import (
    DeletedRecords,
    EvaluationDataset,
    EvaluationDatasetPage,
    EvaluationRecord,
    EvaluationRecordPage,
    ExperimentIds,
    NewEvaluationRecord,
    RecordSource,
    SourceType,
    UpsertedRecords,
)
from airside.tracking.records import Tag

SOURCE_TYPES: tuple[SourceType, ...] = ("UNSPECIFIED", "TRACE", "HUMAN", "DOCUMENT", "CODE")
MAX_PAGE = 10_000


# --- what is answered ----------------------------------------------------------------------------------------------


def dataset_of(dataset: EvaluationDataset, *, with_experiments: bool = False) -> dict[str, Any]:
    """A dataset; its tags, schema and profile are texts of JSON."""
    return present(
        dataset_id=dataset.dataset_id,
        name=dataset.name,
        tags=json.dumps({tag.key: tag.value for tag in dataset.tags}),
        schema=None if dataset.fields is None else json.dumps(dataset.fields),
        profile=None if dataset.n_records is None else json.dumps({"num_records": dataset.n_records}),
        digest=dataset.digest,
        created_time=dataset.created_ms,
        last_update_time=dataset.updated_ms,
        created_by=dataset.created_by,
        last_updated_by=dataset.updated_by,
        experiment_ids=list(dataset.experiment_ids) if with_experiments else None,
    )


def _made(dataset: EvaluationDataset) -> bytes:
    return write({"dataset": dataset_of(dataset, with_experiments=True)})


def _dataset(dataset: EvaluationDataset) -> bytes:
    return write({"dataset": dataset_of(dataset)})


def _datasets(page: EvaluationDatasetPage) -> bytes:
    return write(
        present(datasets=[dataset_of(each) for each in page.items], next_page_token=page.next_page_token or None)
    )


def _experiments(ids: ExperimentIds) -> bytes:
    return write(present(experiment_ids=list(ids.items)))


def _upserted(answer: UpsertedRecords) -> bytes:
    return write({"inserted_count": answer.n_inserted, "updated_count": answer.n_updated})


def _deleted(answer: DeletedRecords) -> bytes:
    return write({"deleted_count": answer.n_deleted})


def _record_of(record: EvaluationRecord) -> dict[str, Any]:
    told = present(
        dataset_record_id=record.record_id,
        dataset_id=record.dataset_id,
        created_time=record.created_ms,
        last_update_time=record.updated_ms,
        created_by=record.created_by,
        last_updated_by=record.updated_by,
        **_source_of(record.source),
    )
    told |= {"inputs": record.inputs, "tags": record.tags}
    told |= {} if record.outputs is None else {"outputs": record.outputs}
    return told if record.expectations is None else {**told, "expectations": record.expectations}


def _source_of(source: RecordSource | None) -> dict[str, Any]:
    if source is None:
        return {}
    key = "trace_id" if source.source_type == "TRACE" else "source_id"
    named = source.source_data.get(key)
    return {
        "source": {"source_type": source.source_type, "source_data": source.source_data},
        "source_id": named if isinstance(named, str) else None,
        "source_type": source.source_type,
    }


def _records(page: EvaluationRecordPage) -> bytes:
    text = json.dumps([_record_of(each) for each in page.items])
    return write(present(records=text, next_page_token=page.next_page_token or None))


# --- what is asked -------------------------------------------------------------------------------------------------


def _id(request: WireRequest) -> str:
    return request.path_args["dataset_id"]


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(f"Invalid value for parameter '{name}' supplied: it is not valid JSON.") from None


def _tags(text: str) -> tuple[Tag, ...]:
    """A JSON object of tags; a value that is no text is told by its Python name, null is left out."""
    sent = _parsed(text, "tags")
    if not isinstance(sent, dict):
        raise Invalid(f"Invalid value {shown(sent)} for parameter 'tags' supplied: it must be the JSON of an object.")
    return tuple(Tag(key=key, value=str(value)) for key, value in sent.items() if value is not None)


_CREATE = message(required=("name",), name=string, experiment_ids=repeated(string), tags=string)


def _create(request: WireRequest) -> CreateEvaluationDataset:
    sent = read(request, _CREATE)
    text = sent.get("tags", "")
    return CreateEvaluationDataset(
        name=sent["name"],
        experiment_ids=_ids(sent),
        tags=_tags(text) if text and _parsed(text, "tags") else (),
    )


def _ids(sent: dict[str, Any]) -> tuple[ExperimentId, ...]:
    return tuple(ExperimentId(each) for each in sent.get("experiment_ids", ()))


def _get(request: WireRequest) -> GetEvaluationDataset:
    return GetEvaluationDataset(dataset_id=_id(request))


def _delete(request: WireRequest) -> DeleteEvaluationDataset:
    return DeleteEvaluationDataset(dataset_id=_id(request))


_SEARCH = message(
    experiment_ids=repeated(string),
    filter_string=string,
    max_results=int32,
    order_by=repeated(string),
    page_token=string,
)


def _search(request: WireRequest) -> SearchEvaluationDatasets:
    sent = read(request, _SEARCH)
    return SearchEvaluationDatasets(
        experiment_ids=_ids(sent),
        filter=sent.get("filter_string", ""),
        max_results=sent.get("max_results") or 1000,
        order_by=tuple(sent.get("order_by", ())),
        page_token=sent.get("page_token", ""),
    )


_SET_TAGS = message(required=("tags",), tags=string)


def _set_tags(request: WireRequest) -> SetEvaluationDatasetTags:
    return SetEvaluationDatasetTags(dataset_id=_id(request), tags=_tags(read(request, _SET_TAGS)["tags"]))


def _delete_tag(request: WireRequest) -> DeleteEvaluationDatasetTag:
    return DeleteEvaluationDatasetTag(dataset_id=_id(request), key=request.path_args["key"])


def _of(request: WireRequest) -> ListEvaluationDatasetExperiments:
    return ListEvaluationDatasetExperiments(dataset_id=_id(request))


_LINKS = message(experiment_ids=repeated(string))


def _add(request: WireRequest) -> AddEvaluationDatasetToExperiments:
    return AddEvaluationDatasetToExperiments(dataset_id=_id(request), experiment_ids=_ids(read(request, _LINKS)))


def _remove(request: WireRequest) -> RemoveEvaluationDatasetFromExperiments:
    return RemoveEvaluationDatasetFromExperiments(dataset_id=_id(request), experiment_ids=_ids(read(request, _LINKS)))


_UPSERT = message(required=("records",), records=string, updated_by=string)


def _upsert(request: WireRequest) -> UpsertEvaluationRecords:
    records = _parsed(read(request, _UPSERT)["records"], "records")
    if not isinstance(records, list):
        raise Invalid("Invalid value for parameter 'records' supplied: it must be the JSON of a list of objects.")
    return UpsertEvaluationRecords(dataset_id=_id(request), records=tuple(_new_record(each) for each in records))


def _new_record(sent: Any) -> NewEvaluationRecord:
    inputs, tags = _object(_object(sent).get("inputs"), "inputs"), _object(sent.get("tags"), "tags")
    source = sent.get("source")
    expectations = sent.get("expectations")
    return NewEvaluationRecord(
        inputs=inputs,
        outputs=sent.get("outputs"),
        has_outputs="outputs" in sent,
        expectations=None if expectations is None else _object(expectations, "expectations"),
        tags={key: value if isinstance(value, str) else json.dumps(value) for key, value in tags.items()},
        source=None if source is None else _source(_object(source, "source")),
    )


def _object(value: Any, name: str = "records") -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"Invalid value {shown(value)} for parameter '{name}' supplied: it must be an object.")
    return value


def _source(sent: dict[str, Any]) -> RecordSource:
    word = str(sent.get("source_type", "UNSPECIFIED")).upper()
    for known in SOURCE_TYPES:
        if word == known:
            return RecordSource(source_type=known, source_data=_object(sent.get("source_data"), "source_data"))
    raise Invalid(f"Invalid dataset record source type: {word[:50]}. Valid source types: {list(SOURCE_TYPES)}")


_LIST = message(max_results=int32, page_token=string)


def _list(request: WireRequest) -> ListEvaluationRecords:
    sent = read(request, _LIST)
    return ListEvaluationRecords(
        dataset_id=_id(request),
        max_results=min(sent.get("max_results") or 1000, MAX_PAGE),
        page_token=sent.get("page_token", ""),
    )


_DELETE_RECORDS = message(dataset_record_ids=repeated(string))


def _delete_records(request: WireRequest) -> DeleteEvaluationRecords:
    sent = read(request, _DELETE_RECORDS)
    if "dataset_record_ids" not in sent:
        raise missing("dataset_record_ids")
    return DeleteEvaluationRecords(dataset_id=_id(request), record_ids=tuple(sent["dataset_record_ids"]))


# --- the table -----------------------------------------------------------------------------------------------------

_D = "3.0/mlflow/datasets"


def _route(
    method: Any, path: str, decode: Callable[[WireRequest], Any], encode: Callable[[Any], bytes], ask: Any
) -> WireRoute:
    return WireRoute(method=method, path=path, decode=decode, encode=encode, ask=ask)


_ONE = f"{_D}/{{dataset_id}}"
ROUTES: tuple[WireRoute, ...] = (
    _route("POST", f"{_D}/create", _create, _made, CreateEvaluationDataset),
    _route("POST", f"{_D}/search", _search, _datasets, SearchEvaluationDatasets),
    _route("GET", f"{_D}/search", _search, _datasets, SearchEvaluationDatasets),
    _route("GET", _ONE, _get, _dataset, GetEvaluationDataset),
    _route("DELETE", _ONE, _delete, nothing, DeleteEvaluationDataset),
    _route("PATCH", f"{_ONE}/tags", _set_tags, nothing, SetEvaluationDatasetTags),
    _route("DELETE", f"{_ONE}/tags/{{key:path}}", _delete_tag, nothing, DeleteEvaluationDatasetTag),
    _route("GET", f"{_ONE}/experiment-ids", _of, _experiments, ListEvaluationDatasetExperiments),
    _route("POST", f"{_ONE}/add-experiments", _add, _dataset, AddEvaluationDatasetToExperiments),
    _route("POST", f"{_ONE}/remove-experiments", _remove, _dataset, RemoveEvaluationDatasetFromExperiments),
    _route("POST", f"{_ONE}/records", _upsert, _upserted, UpsertEvaluationRecords),
    _route("GET", f"{_ONE}/records", _list, _records, ListEvaluationRecords),
    _route("DELETE", f"{_ONE}/records", _delete_records, _deleted, DeleteEvaluationRecords),
)
