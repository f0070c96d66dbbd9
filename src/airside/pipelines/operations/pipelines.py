"""Pipelines: register, get, list."""

import msgspec

from airside.core.errors import Invalid, NotFound
from airside.core.ids import BlobId, PipelineName, is_blob_id
from airside.core.operation import AnyOperation, Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask, Record
from airside.pipelines import queries, rules
from airside.pipelines.records import Graph, Parameter, Pipeline
from airside.tracking.capture.records import Capture, CodeState
from airside.tracking.capture.rules import check_capture


class RegisterPipeline(Ask[Pipeline]):
    """A pipeline as its author's program has traced it.

    Attributes:
        code: a zip of the project's files, put in before.
        made_with: where the repository of those files stands.
    """

    name: PipelineName
    entry: str
    code: BlobId
    graph: Graph
    parameters: tuple[Parameter, ...] = ()
    description: str = ""
    made_with: CodeState | None = None


@operation("pipelines.register", needs="pipeline:write")
def register(ctx: Context, ask: RegisterPipeline) -> Pipeline:
    """Register a pipeline; a version is made only if something changed.

    Raises:
        Invalid: the graph does not hang together, or `code` is no blob's id.
    """
    rules.check_name(ask.name)
    if not is_blob_id(ask.code):
        raise Invalid(f"'code' of the pipeline '{ask.name}' is '{ask.code[:80]}', which is no blob's id ('b3:…').")
    rules.check_graph(ask.graph, ask.parameters)
    if ask.made_with is not None:
        check_capture(Capture(source="registration", code=ask.made_with))
    latest = queries.latest_pipeline(ctx.tx, ask.name)
    pipeline = Pipeline(
        name=ask.name,
        version=1 if latest is None else latest.version + 1,
        entry=ask.entry,
        code=ask.code,
        graph=ask.graph,
        parameters=ask.parameters,
        description=ask.description,
        created_at=ctx.clock.now(),
        created_by=ctx.actor.name,
        made_with=ask.made_with,
    )
    if latest is not None and rules.same_pipeline(latest, pipeline):
        if ask.made_with is None or ask.made_with == latest.made_with:
            return latest
        pipeline = msgspec.structs.replace(latest, made_with=ask.made_with)
        queries.set_made_with(ctx.tx, pipeline)
        return pipeline
    queries.insert_pipeline(ctx.tx, pipeline)
    return pipeline


class GetPipeline(Ask[Pipeline]):
    """`version` 0 is the newest."""

    name: PipelineName
    version: int = 0


@operation("pipelines.get", needs="pipeline:read")
def get(ctx: Context, ask: GetPipeline) -> Pipeline:
    """A version of a pipeline.

    Raises:
        NotFound: there is none of that name, or not that version of it.
    """
    found = queries.latest_pipeline(ctx.tx, ask.name) if not ask.version else None
    if ask.version:
        found = queries.pipeline(ctx.tx, ask.name, ask.version)
    if found is None:
        raise NotFound(
            f"No pipeline '{ask.name}'{f' of version {ask.version}' if ask.version else ''}. "
            "Register it with: airside.register_pipeline(client, 'FILE.py:NAME')."
        )
    return found


class PipelineSummary(Record):
    """A pipeline in a list."""

    pipeline: Pipeline
    runs: int
    last_run: str = ""
    last_state: str = ""


class PipelinePage(Record):
    """Some pipelines, by name."""

    items: tuple[PipelineSummary, ...]
    next_page_token: str = ""


class ListPipelines(Ask[PipelinePage]):
    """The newest version of each pipeline."""

    max_results: int = 100
    page_token: str = ""


@operation("pipelines.list", needs="pipeline:read")
def list_pipelines(ctx: Context, ask: ListPipelines) -> PipelinePage:
    """The newest version of each pipeline, by name, with its last run.

    Raises:
        Invalid: the page's size or token is none.
    """
    size = page_size(ask.max_results)
    found = [
        PipelineSummary(pipeline=pipeline, runs=runs, last_run=last, last_state=state)
        for pipeline, runs, last, state in queries.pipelines(ctx.tx, after=ask.page_token, limit=size + 1)
    ]
    items, following = cut(found, size, lambda summary: summary.pipeline.name)
    return PipelinePage(items=items, next_page_token=following)


OPERATIONS: tuple[AnyOperation, ...] = (register, get, list_pipelines)
