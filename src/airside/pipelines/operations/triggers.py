"""Triggers: create, list, enable; told of events, of time; fired by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.errors import AlreadyExists, Invalid, NotFound
from airside.core.ids import DatasetName, ModelName, MonitorName, PipelineName
from airside.core.operation import AnyOperation, Context, operation
from airside.core.paging import cut, number_in, page_size
from airside.core.record import Ask, Record
from airside.data.operations.datasets import GetDataset, get_dataset
from airside.data.operations.versions import ListDatasetVersions, list_dataset_versions
from airside.pipelines import cron, queries, rules
from airside.pipelines.operations.pipelines import GetPipeline
from airside.pipelines.operations.pipelines import get as get_pipeline
from airside.pipelines.operations.runs import StartRun, begin
from airside.pipelines.records import Cause, Trigger, TriggerFire, TriggerKind
from airside.pipelines.rules import Happening


class CreateTrigger(Ask[Trigger]):
    """A trigger of a pipeline. The fields are those of `Trigger`."""

    name: str
    pipeline: PipelineName
    on: TriggerKind
    monitor: MonitorName = MonitorName("")
    dataset: DatasetName = DatasetName("")
    model: ModelName = ModelName("")
    cron: str = ""
    time_zone: str = "UTC"
    wait_for_dataset: DatasetName = DatasetName("")
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


@operation("triggers.create", needs="trigger:write")
def create(ctx: Context, ask: CreateTrigger) -> Trigger:
    """Create a trigger.

    Raises:
        AlreadyExists: there is one of that name.
        NotFound: there is no such pipeline.
        Invalid: the cron expression, the time zone or a parameter will not do.
    """
    rules.check_name(ask.name)
    if queries.trigger(ctx.tx, ask.name) is not None:
        raise AlreadyExists(f"There is a trigger '{ask.name}' already. List them with the operation triggers.list.")
    _check_parameters(ctx, ask)
    trigger = Trigger(
        id=ctx.new_id("trigger"),
        created_at=ctx.clock.now(),
        created_by=ctx.actor.name,
        **{name: getattr(ask, name) for name in ask.__struct_fields__},
    )
    queries.insert_trigger(ctx.tx, trigger, _next_ms(ctx, trigger))
    return trigger


def _check_parameters(ctx: Context, ask: CreateTrigger) -> None:
    pipeline = get_pipeline(ctx, GetPipeline(name=ask.pipeline))
    if (ask.on == "cron") != bool(ask.cron):
        raise Invalid("A trigger on 'cron' needs 'cron', e.g. '0 6 * * mon'; no other kind has it.")
    if ask.cron:
        cron.parse(ask.cron)
        cron.zone(ask.time_zone)
    declared = {parameter.name for parameter in pipeline.parameters}
    unknown = sorted(ask.parameters.keys() - declared)
    if unknown:
        raise Invalid(f"The pipeline '{ask.pipeline}' has no parameter '{unknown[0]}'. It has: {sorted(declared)}.")


def _next_ms(ctx: Context, trigger: Trigger) -> int | None:
    if not trigger.cron:
        return None
    following = cron.next_fire(trigger.cron, trigger.time_zone, ctx.clock.now())
    return None if following is None else to_ms(following)


def _trigger(ctx: Context, id_or_name: str) -> Trigger:
    found = queries.trigger(ctx.tx, id_or_name)
    if found is None:
        raise NotFound(f"No trigger '{id_or_name}'. List them with the operation triggers.list.")
    return found


class TriggerPage(Record):
    """Some triggers."""

    items: tuple[Trigger, ...]
    next_page_token: str = ""


class ListTriggers(Ask[TriggerPage]):
    """The triggers of a pipeline, or all."""

    pipeline: PipelineName = PipelineName("")
    max_results: int = 100
    page_token: str = ""


@operation("triggers.list", needs="trigger:read")
def list_triggers(ctx: Context, ask: ListTriggers) -> TriggerPage:
    """Triggers, in the order in which they were made.

    Raises:
        Invalid: the page's size or token is none.
    """
    size = page_size(ask.max_results)
    found = queries.triggers(ctx.tx, pipeline=ask.pipeline, after=ask.page_token, limit=size + 1)
    items, following = cut(found, size, lambda trigger: trigger.id)
    return TriggerPage(items=items, next_page_token=following)


class EnableTrigger(Ask[Trigger]):
    """Switch a trigger (by id or name) on or off."""

    trigger_id: str
    enabled: bool


@operation("triggers.enable", needs="trigger:write")
def enable(ctx: Context, ask: EnableTrigger) -> Trigger:
    """Switch a trigger on or off; what happened while it was off is not made up for.

    Raises:
        NotFound: there is no such trigger.
    """
    trigger = _trigger(ctx, ask.trigger_id)
    queries.set_enabled(ctx.tx, trigger.id, enabled=ask.enabled)
    queries.set_next_fire(ctx.tx, trigger.id, _next_ms(ctx, trigger) if ask.enabled else None)
    return _trigger(ctx, trigger.id)


class Fired(Record):
    """What a thing that happened did to the triggers."""

    fires: tuple[TriggerFire, ...] = ()


class NoteEvent(Ask[Fired]):
    """Something happened of which triggers may want to know.

    Attributes:
        kind: what happened.
        event: its id: an alert's, a dataset version's, `name@version` of a model. The same id is the same event.
        monitor, dataset, model: what it is about.
        dataset_version: its number, for `dataset`.
        model_version: the promoted one, for `promotion`.
        happened_at: when, if that was before it is told: what waits for a dataset looks for versions after this.
        text: one line for people.
    """

    kind: Literal["alert", "dataset", "promotion"]
    event: str
    monitor: MonitorName = MonitorName("")
    dataset: DatasetName = DatasetName("")
    dataset_version: int = 0
    model: ModelName = ModelName("")
    model_version: int = 0
    happened_at: datetime | None = None
    text: str = ""


@operation("triggers.note_event", needs="trigger:fire")
def note_event(ctx: Context, ask: NoteEvent) -> Fired:
    """Fire the triggers that something concerns. Telling the same event twice does nothing the second time."""
    happening = Happening(
        kind=ask.kind,
        event=ask.event,
        monitor=ask.monitor,
        dataset=ask.dataset,
        dataset_version=ask.dataset_version,
        model=ask.model,
        model_version=ask.model_version,
    )
    concerned = [trigger for trigger in queries.triggers_on(ctx.tx, ask.kind) if rules.concerns(trigger, happening)]
    at = ask.happened_at or ctx.clock.now()
    fires = [_note(ctx, trigger, happening, ask.text, at) for trigger in concerned]
    if ask.kind == "dataset":
        for waiting, of_old in queries.waiting_fires(ctx.tx, ask.dataset, ask.dataset_version):
            newer = msgspec.structs.replace(of_old, dataset=ask.dataset, dataset_version=ask.dataset_version)
            fires.append(_let_go(ctx, waiting, newer))
    return Fired(fires=tuple(fire for fire in fires if fire is not None))


def _note(ctx: Context, trigger: Trigger, happening: Happening, text: str, at: datetime) -> TriggerFire | None:
    key = f"{happening.kind}:{happening.event}"
    if queries.fire(ctx.tx, trigger.id, key) is not None:
        return None
    busy = queries.waiting_fire(ctx.tx, trigger.id) or queries.active_of_trigger(ctx.tx, trigger.id) is not None
    if busy and happening.kind != "dataset":
        return _keep(ctx, trigger, happening, _fire_of(ctx, trigger, key, "joined", happening.event, text))
    if trigger.wait_for_dataset:
        before, newest = _versions(ctx, trigger.wait_for_dataset, at)
        if newest == before:
            waiting = _fire_of(ctx, trigger, key, "waiting", happening.event, text)
            return _keep(ctx, trigger, happening, msgspec.structs.replace(waiting, newer_than=before))
        happening = msgspec.structs.replace(happening, dataset=trigger.wait_for_dataset, dataset_version=newest)
    return _start(ctx, trigger, happening, _fire_of(ctx, trigger, key, "fired", happening.event, text))


def _versions(ctx: Context, dataset: DatasetName, at: datetime) -> tuple[int, int]:
    """The numbers of the newest version at a time, and now. An event may be told after a version that came after it."""
    try:
        newest = get_dataset(ctx, GetDataset(name=dataset)).newest
        page = list_dataset_versions(ctx, ListDatasetVersions(name=dataset))
    except NotFound:
        return 0, 0
    return newest - sum(1 for version in page.items if version.created_at > at), newest


def _fire_of(
    ctx: Context,
    trigger: Trigger,
    key: str,
    state: Literal["fired", "waiting", "joined"],
    event: str,
    text: str,
) -> TriggerFire:
    return TriggerFire(trigger=trigger.id, key=key, state=state, event=event, text=text, noted_at=ctx.clock.now())


def _keep(ctx: Context, trigger: Trigger, happening: Happening, fire: TriggerFire) -> TriggerFire:
    queries.insert_fire(ctx.tx, fire, happening, trigger.wait_for_dataset)
    return fire


def _start(ctx: Context, trigger: Trigger, happening: Happening, fire: TriggerFire) -> TriggerFire:
    run_id = _run(ctx, trigger, happening, fire.text, {})
    fired = msgspec.structs.replace(fire, run=run_id, fired_at=ctx.clock.now())
    return _keep(ctx, trigger, happening, fired)


def _let_go(ctx: Context, waiting: TriggerFire, happening: Happening) -> TriggerFire | None:
    trigger = queries.trigger(ctx.tx, waiting.trigger)
    if trigger is None or not trigger.enabled:
        return None
    run_id = _run(ctx, trigger, happening, waiting.text, {})
    queries.mark_fired(ctx.tx, waiting, run_id, ctx.now_ms())
    return queries.fire(ctx.tx, waiting.trigger, waiting.key)


def _run(ctx: Context, trigger: Trigger, happening: Happening, text: str, extra: Mapping[str, Any]) -> Any:
    parameters = rules.fill_parameters({**trigger.parameters, **extra}, happening)
    kind: Any = happening.kind
    cause = Cause(kind=kind, actor=ctx.actor.name, trigger=trigger.id, event=happening.event, text=text)
    return begin(ctx, StartRun(pipeline=trigger.pipeline, parameters=parameters), cause).id


class FireTrigger(Ask[TriggerFire]):
    """Fire a trigger by hand, of whatever kind it is. The same `key` fires once; empty is always a new one."""

    trigger_id: str
    key: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


@operation("triggers.fire", needs="trigger:fire")
def fire(ctx: Context, ask: FireTrigger) -> TriggerFire:
    """Fire a trigger by hand: what it waits for and whether it is enabled do not matter then.

    Raises:
        NotFound: there is no such trigger.
        Invalid: a parameter of the run is missing, unknown, or not of its type.
    """
    trigger = _trigger(ctx, ask.trigger_id)
    key = f"manual:{ask.key or ctx.new_hex()}"
    known = queries.fire(ctx.tx, trigger.id, key)
    if known is not None:
        return known
    happening = Happening(kind="manual", event=ask.key)
    run_id = _run(ctx, trigger, happening, "fired by hand", ask.parameters)
    fired = _fire_of(ctx, trigger, key, "fired", ask.key, "fired by hand")
    return _keep(ctx, trigger, happening, msgspec.structs.replace(fired, run=run_id, fired_at=ctx.clock.now()))


class Due(Record):
    """How many triggers the calendar asks for now."""

    count: int


class CountDueTriggers(Ask[Due]):
    """Whether it is worth while to tick."""


@operation("triggers.due", needs="trigger:read")
def due(ctx: Context, _ask: CountDueTriggers) -> Due:
    """How many triggers are due: asked every second, so that a tick writes only when there is something to fire."""
    return Due(count=len(queries.due_triggers(ctx.tx, ctx.now_ms())))


class TickTriggers(Ask[Fired]):
    """Time has passed: fire what the calendar asks for."""


@operation("triggers.tick", needs="trigger:fire", audit="measure")
def tick(ctx: Context, _ask: TickTriggers) -> Fired:
    """Fire what is due: what was missed while nobody looked fires once; while its last run goes on, not at all."""
    fires = []
    for trigger, due_ms in queries.due_triggers(ctx.tx, ctx.now_ms()):
        queries.set_next_fire(ctx.tx, trigger.id, _next_ms(ctx, trigger) if trigger.enabled else None)
        if trigger.enabled:
            moment, at = Happening(kind="cron", event=from_ms(due_ms).isoformat()), from_ms(due_ms)
            fires.append(_note(ctx, trigger, moment, f"{trigger.cron} ({trigger.time_zone})", at))
    return Fired(fires=tuple(fire for fire in fires if fire is not None))


class TriggerFirePage(Record):
    """Some fires, the newest first."""

    items: tuple[TriggerFire, ...]
    next_page_token: str = ""


class ListFires(Ask[TriggerFirePage]):
    """The fires of a trigger, or all."""

    trigger: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("trigger_fires.list", needs="trigger:read")
def list_fires(ctx: Context, ask: ListFires) -> TriggerFirePage:
    """What fired, waits, or joined another, the newest first.

    Raises:
        Invalid: the page's size or token is none.
    """
    size, offset = page_size(ask.max_results), number_in(ask.page_token, 0)
    found = queries.fires(ctx.tx, trigger_id=ask.trigger, limit=size + 1, offset=offset)
    items, following = cut(found, size, lambda _last: offset + size)
    return TriggerFirePage(items=items, next_page_token=following)


OPERATIONS: tuple[AnyOperation, ...] = (create, list_triggers, enable, note_event, fire, due, tick, list_fires)
