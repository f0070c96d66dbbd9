"""Triggers and their fires in SQL."""

from typing import Any

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.operation import Row, Transaction
from airside.pipelines.queries.pipelines import text_of
from airside.pipelines.records import Trigger, TriggerFire
from airside.pipelines.rules import Happening

_COLUMNS = (
    "id, name, pipeline, kind, monitor, dataset, model, cron, time_zone, wait_for_dataset, parameters, enabled, "
    "created_ms, created_by"
)
_INSERT = f"""
INSERT INTO pipeline_trigger ({_COLUMNS}, next_fire_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ONE = f"SELECT {_COLUMNS} FROM pipeline_trigger WHERE id = ? OR name = ?"
_LIST = f"SELECT {_COLUMNS} FROM pipeline_trigger WHERE (pipeline = ? OR ? = '') AND id > ? ORDER BY id LIMIT ?"
_ON = f"SELECT {_COLUMNS} FROM pipeline_trigger WHERE kind = ? ORDER BY id"
_DUE = f"SELECT {_COLUMNS}, next_fire_ms FROM pipeline_trigger WHERE next_fire_ms <= ? ORDER BY next_fire_ms"
_ENABLE = "UPDATE pipeline_trigger SET enabled = ? WHERE id = ?"
_NEXT = "UPDATE pipeline_trigger SET next_fire_ms = ? WHERE id = ?"

_FIRE_COLUMNS = "trigger_id, key, state, event, text, newer_than, run, noted_ms, fired_ms"
_INSERT_FIRE = f"""
INSERT INTO trigger_fire ({_FIRE_COLUMNS}, happening, wait_for_dataset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (trigger_id, key) DO NOTHING
"""
_FIRE = f"SELECT {_FIRE_COLUMNS} FROM trigger_fire WHERE trigger_id = ? AND key = ?"
_FIRES = f"""
SELECT {_FIRE_COLUMNS} FROM trigger_fire WHERE (trigger_id = ? OR ? = '')
ORDER BY noted_ms DESC, trigger_id, key LIMIT ? OFFSET ?
"""
_WAITING = f"""
SELECT {_FIRE_COLUMNS}, happening FROM trigger_fire
WHERE state = 'waiting' AND wait_for_dataset = ? AND newer_than < ? ORDER BY noted_ms, trigger_id, key
"""
_WAITS = "SELECT key FROM trigger_fire WHERE state = 'waiting' AND trigger_id = ? LIMIT 1"
_FIRED = "UPDATE trigger_fire SET state = 'fired', run = ?, fired_ms = ? WHERE trigger_id = ? AND key = ?"

_parameters = msgspec.json.Decoder(dict[str, Any])
_happening = msgspec.json.Decoder(Happening)


def insert_trigger(tx: Transaction, trigger: Trigger, next_fire_ms: int | None) -> None:
    """Store a trigger."""
    tx.run(
        _INSERT,
        (
            trigger.id,
            trigger.name,
            trigger.pipeline,
            trigger.on,
            trigger.monitor,
            trigger.dataset,
            trigger.model,
            trigger.cron,
            trigger.time_zone,
            trigger.wait_for_dataset,
            text_of(trigger.parameters),
            trigger.enabled,
            to_ms(trigger.created_at),
            trigger.created_by,
            next_fire_ms,
        ),
    )


def trigger(tx: Transaction, id_or_name: str) -> Trigger | None:
    """A trigger by its id or name."""
    row = tx.one(_ONE, (id_or_name, id_or_name))
    return None if row is None else _trigger(row)


def triggers(tx: Transaction, *, pipeline: str, after: str, limit: int) -> list[Trigger]:
    """Triggers, in the order in which they were made."""
    return [_trigger(row) for row in tx.all(_LIST, (pipeline, pipeline, after, limit))]


def triggers_on(tx: Transaction, kind: str) -> list[Trigger]:
    """The triggers of a kind of event."""
    return [_trigger(row) for row in tx.all(_ON, (kind,))]


def due_triggers(tx: Transaction, now_ms: int) -> list[tuple[Trigger, int]]:
    """The triggers whose time has come, and the time."""
    return [(_trigger(row), row[14]) for row in tx.all(_DUE, (now_ms,))]


def set_enabled(tx: Transaction, trigger_id: str, *, enabled: bool) -> None:
    """Switch on or off."""
    tx.run(_ENABLE, (enabled, trigger_id))


def set_next_fire(tx: Transaction, trigger_id: str, next_fire_ms: int | None) -> None:
    """Note when the calendar wants it next."""
    tx.run(_NEXT, (next_fire_ms, trigger_id))


def insert_fire(tx: Transaction, fire: TriggerFire, happening: Happening, wait_for_dataset: str) -> bool:
    """Store a fire; False when this event has fired this trigger already."""
    args = (
        fire.trigger,
        fire.key,
        fire.state,
        fire.event,
        fire.text,
        fire.newer_than,
        fire.run or "",
        to_ms(fire.noted_at),
        None if fire.fired_at is None else to_ms(fire.fired_at),
        text_of(happening),
        wait_for_dataset,
    )
    return tx.run(_INSERT_FIRE, args) > 0


def fire(tx: Transaction, trigger_id: str, key: str) -> TriggerFire | None:
    """One fire."""
    row = tx.one(_FIRE, (trigger_id, key))
    return None if row is None else _fire(row)


def fires(tx: Transaction, *, trigger_id: str, limit: int, offset: int) -> list[TriggerFire]:
    """Fires, the newest first."""
    return [_fire(row) for row in tx.all(_FIRES, (trigger_id, trigger_id, limit, offset))]


def waiting_fires(tx: Transaction, dataset: str, version: int) -> list[tuple[TriggerFire, Happening]]:
    """The fires that a version of a dataset lets go."""
    return [(_fire(row), _happening.decode(row[9])) for row in tx.all(_WAITING, (dataset, version))]


def waiting_fire(tx: Transaction, trigger_id: str) -> bool:
    """Whether a fire of the trigger waits."""
    return tx.one(_WAITS, (trigger_id,)) is not None


def mark_fired(tx: Transaction, fire: TriggerFire, run_id: str, now_ms: int) -> None:
    """A waiting fire has started its run."""
    tx.run(_FIRED, (run_id, now_ms, fire.trigger, fire.key))


def _trigger(row: Row) -> Trigger:
    return Trigger(
        id=row[0],
        name=row[1],
        pipeline=row[2],
        on=row[3],
        monitor=row[4],
        dataset=row[5],
        model=row[6],
        cron=row[7],
        time_zone=row[8],
        wait_for_dataset=row[9],
        parameters=_parameters.decode(row[10]),
        enabled=bool(row[11]),
        created_at=from_ms(row[12]),
        created_by=row[13],
    )


def _fire(row: Row) -> TriggerFire:
    return TriggerFire(
        trigger=row[0],
        key=row[1],
        state=row[2],
        event=row[3],
        text=row[4],
        newer_than=row[5],
        run=row[6] or None,
        noted_at=from_ms(row[7]),
        fired_at=None if row[8] is None else from_ms(row[8]),
    )


def rename_model(tx: Transaction, name: str, new_name: str) -> None:
    """Call a model by its new name in triggers."""
    tx.run("UPDATE pipeline_trigger SET model = ? WHERE model = ?", (new_name, name))
