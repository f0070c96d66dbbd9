"""What is put on a trace later: tags, and links to runs and prompts."""

from airside.core.errors import Invalid, NotFound
from airside.core.ids import RunId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking.rules import check_length
from airside.tracking.traces import rules
from airside.tracking.traces.operations.finding import found
from airside.tracking.traces.queries import traces as queries
from airside.tracking.traces.records import PromptRef


class SetTraceTag(Ask[Done]):
    """Ask to set a tag of a trace."""

    trace_id: str
    key: str
    value: str = ""


@operation("traces.set_tag", needs="trace:write")
def set_trace_tag(ctx: Context, ask: SetTraceTag) -> Done:
    """Set a tag; an over-long value is cut. `mlflow.traceName` is the trace's name.

    Raises:
        NotFound: there is no such trace.
        Invalid: the tag is the server's own, or its name breaks a rule.
    """
    tag = rules.checked_tag(ask.key, ask.value)
    head = found(ctx, ask.trace_id)
    queries.set_texts(ctx, "trace_tag", (head.number, head.experiment_no), {tag.key: tag.value})
    return DONE


class DeleteTraceTag(Ask[Done]):
    """Ask to remove a tag of a trace."""

    trace_id: str
    key: str


@operation("traces.delete_tag", needs="trace:write")
def delete_trace_tag(ctx: Context, ask: DeleteTraceTag) -> Done:
    """Remove a tag.

    Raises:
        NotFound: there is no such trace, or it has no such tag.
        Invalid: the tag is the server's own.
    """
    rules.check_mutable(ask.key, "deleted")
    head = queries.find(ctx.tx, ask.trace_id)
    if head is None or not queries.drop_tag(ctx, head.number, ask.key):
        raise NotFound(f"No trace tag with key '{ask.key}' for trace with ID '{ask.trace_id[: rules.MAX_ID]}'")
    return DONE


class LinkTracesToRun(Ask[Done]):
    """Ask to link traces to a run; they may come later."""

    trace_ids: tuple[str, ...]
    run_id: RunId


@operation("traces.link_run", needs="trace:write")
def link_traces_to_run(ctx: Context, ask: LinkTracesToRun) -> Done:
    """Link at most a hundred traces to a run; a search by `run_id` finds them.

    Raises:
        Invalid: there are too many, or an id is none.
    """
    if len(ask.trace_ids) > rules.MAX_LINKS:
        raise Invalid(
            f"Cannot link more than {rules.MAX_LINKS} traces to a run in a single request. "
            f"Provided {len(ask.trace_ids)} traces."
        )
    for trace_id in ask.trace_ids:
        rules.check_trace_id(trace_id)
    check_length(ask.run_id, "run_id", rules.MAX_ID)
    queries.link_run(ctx.tx, ask.trace_ids, ask.run_id)
    return DONE


class LinkPromptsToTrace(Ask[Done]):
    """Ask to link versions of prompts to a trace."""

    trace_id: str
    prompts: tuple[PromptRef, ...]


@operation("traces.link_prompts", needs="trace:write")
def link_prompts_to_trace(ctx: Context, ask: LinkPromptsToTrace) -> Done:
    """Link versions of prompts; a search by `prompt = 'name/version'` finds the trace.

    Raises:
        NotFound: there is no such trace.
        Invalid: there are too many, or a version is no number.
    """
    if not ask.prompts:
        return DONE
    if len(ask.prompts) > rules.MAX_LINKS:
        raise Invalid(f"At most {rules.MAX_LINKS} prompts can be linked at once, got {len(ask.prompts)}.")
    for prompt in ask.prompts:
        check_length(prompt.name, "name", rules.MAX_ID)
        if not (prompt.version.isascii() and prompt.version.isdigit() and len(prompt.version) <= 9):
            raise Invalid(f"The version of a prompt is a number, got {prompt.version[:50]!r}.")
    found(ctx, ask.trace_id)
    queries.link_prompts(ctx.tx, ask.trace_id, [f"{prompt.name}/{int(prompt.version)}" for prompt in ask.prompts])
    return DONE


OPERATIONS: tuple[AnyOperation, ...] = (set_trace_tag, delete_trace_tag, link_traces_to_run, link_prompts_to_trace)
