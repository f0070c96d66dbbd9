"""MLflow's calls of traces (contract, section 12.1), version 3 and version 2: a table of routes."""

from typing import Any

from airside.core.ids import ExperimentId, RunId
from airside.server.mlflow.assessments import ASSESSMENT, new_assessment, texts
from airside.server.mlflow.trace_answers import (
    duration_ms_of,
    info_answer,
    infos_answer,
    millis_of,
    old_info_answer,
    old_page_answer,
    page_answer,
    trace_answer,
    traces_answer,
)
from airside.server.mlflow.wire import (
    KEY_VALUE,
    Kind,
    WireRequest,
    WireRoute,
    anything,
    boolean,
    enum,
    int32,
    int64,
    limited,
    message,
    missing,
    mistyped,
    nothing,
    read,
    repeated,
    string,
    write,
)
from airside.tracking.traces.operations.labels import (
    DeleteTraceTag,
    LinkPromptsToTrace,
    LinkTracesToRun,
    SetTraceTag,
)
from airside.tracking.traces.operations.reading import GetTrace, GetTraceInfo, GetTraceInfos, GetTraces, SearchTraces
from airside.tracking.traces.operations.writing import CreateTrace, DeleteTraces, EndTrace, StartTrace
from airside.tracking.traces.records import DeletedTraces, PromptRef, TraceState
from airside.tracking.traces.rules import MAX_SEARCH

_STATE: Kind = enum(STATE_UNSPECIFIED=0, OK=1, ERROR=2, IN_PROGRESS=3)
_OLD_STATE: Kind = enum(TRACE_STATUS_UNSPECIFIED=0, OK=1, ERROR=2, IN_PROGRESS=3)
_LOCATION = message(type=anything, mlflow_experiment=message(experiment_id=string), inference_table=anything)


# --- writing -------------------------------------------------------------------------------------------------------

_INFO = message(
    trace_id=string,
    client_request_id=string,
    trace_location=_LOCATION,
    request_preview=string,
    response_preview=string,
    request_time=millis_of,
    execution_duration=duration_ms_of,
    state=_STATE,
    trace_metadata=texts,
    tags=texts,
    assessments=repeated(ASSESSMENT),
)
_START = message(trace=message(trace_info=_INFO))


def _start(request: WireRequest) -> StartTrace:
    sent = read(request, _START)
    if "trace" not in sent:
        raise missing("trace")
    info = sent["trace"].get("trace_info", {})
    return StartTrace(
        trace_id=info.get("trace_id", ""),
        experiment_id=ExperimentId(_experiment(info.get("trace_location", {}))),
        request_ms=info.get("request_time", 0),
        duration_ms=info.get("execution_duration"),
        state=info.get("state", "STATE_UNSPECIFIED"),
        client_request_id=info.get("client_request_id"),
        request_preview=info.get("request_preview"),
        response_preview=info.get("response_preview"),
        metadata=info.get("trace_metadata", {}),
        tags=info.get("tags", {}),
        assessments=tuple(new_assessment(each) for each in info.get("assessments", ())),
    )


def _experiment(location: dict[str, Any]) -> str:
    experiment: str = location.get("mlflow_experiment", {}).get("experiment_id", "")
    return experiment


def _keyed(value: Any, name: str) -> dict[str, str]:
    """MLflow 2's list of pairs, each with a key.

    Raises:
        Invalid: one has none.
    """
    pairs = repeated(KEY_VALUE)(value, name)
    if any("key" not in pair for pair in pairs):
        raise mistyped(value, name)
    return {pair["key"]: pair.get("value", "") for pair in pairs}


_CREATE = message(experiment_id=string, timestamp_ms=int64, request_metadata=_keyed, tags=_keyed)


def _create(request: WireRequest) -> CreateTrace:
    sent = read(request, _CREATE)
    return CreateTrace(
        experiment_id=ExperimentId(sent.get("experiment_id", "")),
        request_ms=sent.get("timestamp_ms", 0),
        metadata=sent.get("request_metadata", {}),
        tags=sent.get("tags", {}),
    )


_END = message(timestamp_ms=int64, status=_OLD_STATE, request_metadata=_keyed, tags=_keyed)


def _end(request: WireRequest) -> EndTrace:
    sent = read(request, _END)
    status = sent.get("status", "TRACE_STATUS_UNSPECIFIED")
    state: TraceState = "STATE_UNSPECIFIED" if status == "TRACE_STATUS_UNSPECIFIED" else status
    return EndTrace(
        trace_id=_id(request),
        end_ms=sent.get("timestamp_ms", 0),
        state=state,
        metadata=sent.get("request_metadata", {}),
        tags=sent.get("tags", {}),
    )


_DELETE = message(
    required=("experiment_id",),
    experiment_id=string,
    max_timestamp_millis=int64,
    max_traces=int32,
    request_ids=repeated(string),
)


def delete(request: WireRequest) -> DeleteTraces:
    """Which traces shall go."""
    sent = read(request, _DELETE)
    return DeleteTraces(
        experiment_id=ExperimentId(sent["experiment_id"]),
        until_ms=sent.get("max_timestamp_millis"),
        max_traces=sent.get("max_traces"),
        trace_ids=tuple(sent.get("request_ids", ())),
    )


def deleted(answer: DeletedTraces) -> bytes:
    """How many went."""
    return write({"traces_deleted": answer.n_deleted})


# --- reading -------------------------------------------------------------------------------------------------------


def _id(request: WireRequest) -> str:
    return request.path_args["trace_id"]


def _info(request: WireRequest) -> GetTraceInfo:
    return GetTraceInfo(trace_id=_id(request))


_GET = message(required=("trace_id",), trace_id=string, allow_partial=boolean)


def get(request: WireRequest) -> GetTrace:
    """Which trace, and whether a part of it will do."""
    sent = read(request, _GET)
    return GetTrace(trace_id=sent["trace_id"], allow_partial=sent.get("allow_partial", False))


_MANY = message(trace_ids=repeated(string), experiment_ids=repeated(string))


def _many(request: WireRequest) -> dict[str, Any]:
    sent = read(request, _MANY)
    if "trace_ids" not in sent:
        raise missing("trace_ids")
    within = sent.get("experiment_ids")
    return {
        "trace_ids": tuple(sent["trace_ids"]),
        "experiment_ids": None if within is None else tuple(ExperimentId(each) for each in within),
    }


def _get_many(request: WireRequest) -> GetTraces:
    return GetTraces(**_many(request))


def _infos(request: WireRequest) -> GetTraceInfos:
    return GetTraceInfos(**_many(request))


_page_size = limited(int32, MAX_SEARCH)


_SEARCH = message(
    locations=repeated(_LOCATION),
    filter=string,
    max_results=_page_size,
    order_by=repeated(string),
    page_token=string,
)
_OLD_SEARCH = message(
    experiment_ids=repeated(string),
    filter=string,
    max_results=_page_size,
    order_by=repeated(string),
    page_token=string,
)


def _search(request: WireRequest) -> SearchTraces:
    sent = read(request, _SEARCH)
    if "locations" not in sent:
        raise missing("locations")
    return _searching([_experiment(each) for each in sent["locations"] if "mlflow_experiment" in each], sent)


def _old_search(request: WireRequest) -> SearchTraces:
    sent = read(request, _OLD_SEARCH)
    if "experiment_ids" not in sent:
        raise missing("experiment_ids")
    return _searching(sent["experiment_ids"], sent)


def _searching(experiments: list[str], sent: dict[str, Any]) -> SearchTraces:
    return SearchTraces(
        experiment_ids=tuple(ExperimentId(each) for each in experiments),
        filter=sent.get("filter", ""),
        order_by=tuple(sent.get("order_by", ())),
        max_results=sent.get("max_results", 100),
        page_token=sent.get("page_token", ""),
    )


# --- tags and links ------------------------------------------------------------------------------------------------

_TAG = message(required=("key",), key=string, value=string)


def _set_tag(request: WireRequest) -> SetTraceTag:
    sent = read(request, _TAG)
    return SetTraceTag(trace_id=_id(request), key=sent["key"], value=sent.get("value", ""))


def _delete_tag(request: WireRequest) -> DeleteTraceTag:
    return DeleteTraceTag(trace_id=_id(request), key=read(request, _TAG)["key"])


_LINK_RUN = message(required=("run_id",), trace_ids=repeated(string), run_id=string)


def _link_run(request: WireRequest) -> LinkTracesToRun:
    sent = read(request, _LINK_RUN)
    if "trace_ids" not in sent:
        raise missing("trace_ids")
    return LinkTracesToRun(trace_ids=tuple(sent["trace_ids"]), run_id=RunId(sent["run_id"]))


_LINK_PROMPTS = message(
    required=("trace_id",), trace_id=string, prompt_versions=repeated(message(name=string, version=string))
)


def _link_prompts(request: WireRequest) -> LinkPromptsToTrace:
    sent = read(request, _LINK_PROMPTS)
    if "prompt_versions" not in sent:
        raise missing("prompt_versions")
    prompts = sent["prompt_versions"]
    return LinkPromptsToTrace(
        trace_id=sent["trace_id"],
        prompts=tuple(PromptRef(name=each.get("name", ""), version=each.get("version", "")) for each in prompts),
    )


# --- the table: what has a fixed name stands before what has an id -------------------------------------------------

_V2, _V3 = "2.0/mlflow/traces", "3.0/mlflow/traces"


ROUTES: tuple[WireRoute, ...] = (
    WireRoute("POST", _V3, _start, info_answer, StartTrace),
    WireRoute("GET", f"{_V3}/batchGet", _get_many, traces_answer, GetTraces),
    WireRoute("POST", f"{_V3}/batchGetInfos", _infos, infos_answer, GetTraceInfos),
    WireRoute("POST", f"{_V3}/search", _search, page_answer, SearchTraces),
    WireRoute("POST", f"{_V2}/link-to-run", _link_run, nothing, LinkTracesToRun),
    WireRoute("POST", f"{_V3}/link-to-run", _link_run, nothing, LinkTracesToRun),
    WireRoute("POST", f"{_V2}/link-prompts", _link_prompts, nothing, LinkPromptsToTrace),
    WireRoute("POST", f"{_V3}/link-prompts", _link_prompts, nothing, LinkPromptsToTrace),
    WireRoute("GET", f"{_V3}/{{trace_id}}", _info, info_answer, GetTraceInfo),
    WireRoute("POST", _V2, _create, old_info_answer, CreateTrace),
    WireRoute("GET", _V2, _old_search, old_page_answer, SearchTraces),
    WireRoute("PATCH", f"{_V2}/{{trace_id}}", _end, old_info_answer, EndTrace),
    WireRoute("GET", f"{_V2}/{{trace_id}}/info", _info, old_info_answer, GetTraceInfo),
    WireRoute("PATCH", f"{_V2}/{{trace_id}}/tags", _set_tag, nothing, SetTraceTag),
    WireRoute("PATCH", f"{_V3}/{{trace_id}}/tags", _set_tag, nothing, SetTraceTag),
    WireRoute("DELETE", f"{_V2}/{{trace_id}}/tags", _delete_tag, nothing, DeleteTraceTag),
    WireRoute("DELETE", f"{_V3}/{{trace_id}}/tags", _delete_tag, nothing, DeleteTraceTag),
)

WAITED = WireRoute("GET", f"{_V3}/get", get, trace_answer, GetTrace)
"""Answered when the spans are all there, or when waiting for them has no end."""
REPEATED: tuple[WireRoute, ...] = (
    WireRoute("POST", f"{_V2}/delete-traces", delete, deleted, DeleteTraces),
    WireRoute("POST", f"{_V3}/delete-traces", delete, deleted, DeleteTraces),
)
"""Done in pieces, each a transaction of its own."""
