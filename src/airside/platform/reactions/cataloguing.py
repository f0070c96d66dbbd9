"""The catalog follows whatever happens to a model: one cursor over all events, one refresh for each model touched."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from airside.core.errors import NotFound
from airside.core.ids import ModelName
from airside.core.operation import SERVICE
from airside.core.paging import every
from airside.governance.operations.scores import GetScore
from airside.platform.wiring import Platform
from airside.registry.operations.models import SearchModels
from airside.store import outbox
from airside.store.outbox import StoredEvent
from airside.tower.operations.catalog import ForgetRow, RefreshRow

CURSOR = "catalog"
AT_ONCE = 500
MOST_PAGES = 100
MODEL_EVENTS = frozenset(
    (
        "ModelCreated",
        "ModelRenamed",
        "ModelDeleted",
        "VersionRegistered",
        "VersionDeleted",
        "StageMoved",
        "AliasMoved",
        "VersionPromoted",
        "VerdictLeft",
    )
)
"""Events of the registry, whose `name` is a model's; those of other rooms call it `model`."""
LATE_EVENTS = frozenset(("ApprovalAsked", "ApprovalDecided"))
"""Events whose `subject` is a version, `name@7`."""


def refresh_changed(platform: Platform) -> None:
    """Refresh the rows of the models that events behind the cursor are about."""
    names: set[str] = set()
    seq = before = platform.read(lambda ctx: outbox.cursor(ctx.tx, CURSOR))
    for _ in range(MOST_PAGES):
        events = _behind(platform, seq)
        if not events:
            break
        names |= models_of(events)
        seq = events[-1].seq
    for name in sorted(names):
        refresh(platform, ModelName(name))
    if seq != before:
        platform.change(lambda ctx: outbox.move_cursor(ctx.tx, CURSOR, seq))


def _behind(platform: Platform, seq: int) -> list[StoredEvent]:
    return platform.read(lambda ctx: outbox.after(ctx.tx, seq, limit=AT_ONCE))


def models_of(events: Iterable[StoredEvent]) -> set[str]:
    """The models that events are about."""
    return {name for event in events for name in _names(event.name, msgspec.json.decode(event.body)) if name}


def _names(kind: str, body: dict[str, Any]) -> tuple[str, ...]:
    if kind in MODEL_EVENTS:
        return body.get("name", ""), body.get("old_name", "")
    if kind in LATE_EVENTS:
        return (body.get("subject", "").rpartition("@")[0] if body.get("subject_kind") == "version" else "",)
    return (body.get("model", ""),)


def refresh(platform: Platform, name: ModelName) -> None:
    """Refresh one row, its score included; forget it when the model is gone."""
    try:
        score: float | None = platform.call(SERVICE, GetScore(model=name)).score
    except NotFound:
        score = None  # no version yet, or no such model
    try:
        platform.call(SERVICE, RefreshRow(name=name, score=score))
    except NotFound:
        platform.call(SERVICE, ForgetRow(name=name))


def refresh_all(platform: Platform) -> None:
    """Refresh every row: counts of 24 hours and what waits too long change by time alone."""
    for model in every(partial(platform.call, SERVICE), SearchModels()):
        refresh(platform, model.name)
