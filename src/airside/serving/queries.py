"""All SQL of serving: endpoints, rollouts, the prediction log, ground truth, deliveries."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.operation import Row, Transaction
from airside.serving.records import (
    Decision,
    Delivery,
    Endpoint,
    Evidence,
    GroundTruth,
    Label,
    NewBatch,
    PredictionBatch,
    Rollout,
    RolloutPlan,
    ServingTransform,
    Tally,
)
from airside.store.sql.conditions import placeholders

_ENDPOINT = (
    "name, model, version, previous_version, state, plan, transform, rollout_id, revision, salt, created_by, "
    "created_at_ms, updated_at_ms"
)
_ROLLOUT = (
    "id, endpoint, model, from_version, to_version, state, step, weight, plan, transform, evidence, recent, paused_in, "
    "reason, started_by, started_at_ms, step_started_at_ms, looked_at_ms, ended_at_ms, acknowledged_by, "
    "acknowledged_at_ms"
)
_BATCH = (
    "id, request_id, endpoint, model, version, role, rollout_id, phase, delivery, received_at_ms, row_count, "
    "latency_ms, error, paired_id, transform, labelled_rows, right_rows, file, file_offset, size_bytes"
)
TallyKey = tuple[str, str, str, str]
"""Rollout, phase, metric, role."""

_encode = msgspec.json.encode
_transform = msgspec.json.Decoder(ServingTransform | None).decode
_plan = msgspec.json.Decoder(RolloutPlan).decode
_evidence = msgspec.json.Decoder(Evidence).decode
_decision = msgspec.json.Decoder(Decision).decode
_pack = msgspec.msgpack.Encoder().encode
_labels = msgspec.msgpack.Decoder(tuple[Label, ...]).decode


def next_revision(tx: Transaction) -> int:
    """Count the routing's revision up; the new one."""
    row = tx.one(
        "INSERT INTO routing (id, revision) VALUES (1, 1) "
        "ON CONFLICT (id) DO UPDATE SET revision = routing.revision + 1 RETURNING revision"
    )
    return int(row[0]) if row else 0


def revision(tx: Transaction) -> int:
    """The routing's revision; 0 before the first endpoint."""
    row = tx.one("SELECT revision FROM routing WHERE id = 1")
    return int(row[0]) if row else 0


def endpoint(tx: Transaction, name: str) -> Endpoint | None:
    """An endpoint by name."""
    row = tx.one(f"SELECT {_ENDPOINT} FROM endpoint WHERE name = ?", (name,))
    return _to_endpoint(row) if row else None


def endpoints(tx: Transaction, *, after: str, limit: int, model: str = "") -> list[Endpoint]:
    """Endpoints by name, of one model or of all."""
    if model:
        sql = f"SELECT {_ENDPOINT} FROM endpoint WHERE model = ? AND name > ? ORDER BY name LIMIT ?"
        return [_to_endpoint(row) for row in tx.all(sql, (model, after, limit))]
    rows = tx.all(f"SELECT {_ENDPOINT} FROM endpoint WHERE name > ? ORDER BY name LIMIT ?", (after, limit))
    return [_to_endpoint(row) for row in rows]


def put_endpoint(tx: Transaction, endpoint: Endpoint) -> None:
    """Insert an endpoint, or change the one of its name."""
    tx.run(
        f"INSERT INTO endpoint ({_ENDPOINT}) VALUES ({placeholders(13)}) ON CONFLICT (name) DO UPDATE SET "
        "model = excluded.model, version = excluded.version, previous_version = excluded.previous_version, "
        "state = excluded.state, plan = excluded.plan, transform = excluded.transform, "
        "rollout_id = excluded.rollout_id, revision = excluded.revision, updated_at_ms = excluded.updated_at_ms",
        (
            endpoint.name,
            endpoint.model,
            endpoint.version,
            endpoint.previous_version,
            endpoint.state,
            _text(endpoint.plan),
            _text(endpoint.transform),
            endpoint.rollout_id,
            endpoint.revision,
            endpoint.salt,
            endpoint.created_by,
            to_ms(endpoint.created_at),
            to_ms(endpoint.updated_at),
        ),
    )


def delete_endpoint(tx: Transaction, name: str) -> None:
    """Remove an endpoint. Its rollouts and its log stay."""
    tx.run("DELETE FROM endpoint WHERE name = ?", (name,))


def rollout(tx: Transaction, rollout_id: str) -> Rollout | None:
    """A rollout by id, without tallies and history."""
    row = tx.one(f"SELECT {_ROLLOUT} FROM rollout WHERE id = ?", (rollout_id,))
    return _to_rollout(row) if row else None


def rollouts(tx: Transaction, *, endpoint: str, before: str, limit: int) -> list[Rollout]:
    """Rollouts, the newest first; of one endpoint, or of all when it is empty. Ids sort by time."""
    last = before or "ro-g"
    if endpoint:
        sql = f"SELECT {_ROLLOUT} FROM rollout WHERE endpoint = ? AND id < ? ORDER BY id DESC LIMIT ?"
        return [_to_rollout(row) for row in tx.all(sql, (endpoint, last, limit))]
    rows = tx.all(f"SELECT {_ROLLOUT} FROM rollout WHERE id < ? ORDER BY id DESC LIMIT ?", (last, limit))
    return [_to_rollout(row) for row in rows]


def active_rollouts(tx: Transaction) -> list[Rollout]:
    """The rollouts that have not ended."""
    return [_to_rollout(row) for row in tx.all(f"SELECT {_ROLLOUT} FROM rollout WHERE ended_at_ms IS NULL ORDER BY id")]


def put_rollout(tx: Transaction, rollout: Rollout) -> None:
    """Insert a rollout, or change the one of its id."""
    tx.run(
        f"INSERT INTO rollout ({_ROLLOUT}) VALUES ({placeholders(21)}) ON CONFLICT (id) DO UPDATE SET "
        "state = excluded.state, step = excluded.step, weight = excluded.weight, evidence = excluded.evidence, "
        "recent = excluded.recent, paused_in = excluded.paused_in, reason = excluded.reason, "
        "step_started_at_ms = excluded.step_started_at_ms, looked_at_ms = excluded.looked_at_ms, "
        "ended_at_ms = excluded.ended_at_ms, acknowledged_by = excluded.acknowledged_by, "
        "acknowledged_at_ms = excluded.acknowledged_at_ms",
        (
            rollout.id,
            rollout.endpoint,
            rollout.model,
            rollout.from_version,
            rollout.to_version,
            rollout.state,
            rollout.step,
            rollout.weight,
            _text(rollout.plan),
            _text(rollout.transform),
            _text(rollout.evidence),
            rollout.evidence.recent_failures,
            rollout.paused_in,
            rollout.reason,
            rollout.started_by,
            to_ms(rollout.started_at),
            to_ms(rollout.step_started_at),
            to_ms(rollout.looked_at) if rollout.looked_at else None,
            to_ms(rollout.ended_at) if rollout.ended_at else None,
            rollout.acknowledged_by,
            to_ms(rollout.acknowledged_at) if rollout.acknowledged_at else None,
        ),
    )


def set_recent(tx: Transaction, rollout_id: str, recent: str) -> None:
    """Note the latest outcomes of the challenger, for the brake."""
    tx.run("UPDATE rollout SET recent = ? WHERE id = ?", (recent, rollout_id))


def tallies(tx: Transaction, rollout_id: str) -> tuple[Tally, ...]:
    """All counts of a rollout."""
    rows = tx.all(
        "SELECT phase, metric, role, row_count, bad_count FROM rollout_tally WHERE rollout_id = ? "
        "ORDER BY phase, metric, role",
        (rollout_id,),
    )
    return tuple(Tally(phase=row[0], metric=row[1], role=row[2], rows=row[3], bad=row[4]) for row in rows)


def add_tallies(tx: Transaction, counts: Mapping[TallyKey, Sequence[int]]) -> None:
    """Add rows and bad rows to the counts."""
    tx.many(
        "INSERT INTO rollout_tally (rollout_id, phase, metric, role, row_count, bad_count) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (rollout_id, phase, metric, role) DO UPDATE SET "
        "row_count = rollout_tally.row_count + excluded.row_count, "
        "bad_count = rollout_tally.bad_count + excluded.bad_count",
        [(*key, *added) for key, added in counts.items()],
    )


def clear_tally(tx: Transaction, rollout_id: str, metric: str) -> None:
    """Forget one metric's counts: those of a step start anew."""
    tx.run("DELETE FROM rollout_tally WHERE rollout_id = ? AND metric = ?", (rollout_id, metric))


def history(tx: Transaction, rollout_id: str) -> tuple[Decision, ...]:
    """The looks and acts of a rollout, in their order."""
    rows = tx.all("SELECT decision FROM rollout_decision WHERE rollout_id = ? ORDER BY number", (rollout_id,))
    return tuple(_decision(row[0]) for row in rows)


def add_decision(tx: Transaction, rollout_id: str, decision: Decision) -> None:
    """Write a look or an act down."""
    tx.run(
        "INSERT INTO rollout_decision (rollout_id, number, decision) "
        "SELECT ?, COALESCE(MAX(number), 0) + 1, ? FROM rollout_decision WHERE rollout_id = ?",
        (rollout_id, _text(decision), rollout_id),
    )


def known_batches(tx: Transaction, ids: Sequence[str]) -> set[str]:
    """Which of the ids are stored."""
    if not ids:
        return set()
    return {
        row[0] for row in tx.all(f"SELECT id FROM prediction_batch WHERE id IN ({placeholders(len(ids))})", tuple(ids))
    }


def insert_batches(tx: Transaction, batches: Iterable[tuple[NewBatch, str, int, int]]) -> None:
    """Store requests, each with the file, offset and size of its rows."""
    tx.many(
        f"INSERT INTO prediction_batch ({_BATCH}, labels) VALUES ({placeholders(21)})",
        [
            (
                batch.id,
                batch.request_id,
                batch.endpoint,
                batch.model,
                batch.version,
                batch.role,
                batch.rollout_id,
                batch.phase,
                batch.delivery,
                to_ms(batch.received_at),
                batch.rows,
                batch.latency_ms,
                batch.error,
                batch.paired_id,
                _text(batch.transform),
                0,
                0,
                file,
                offset,
                size,
                _pack(batch.labels),
            )
            for batch, file, offset, size in batches
        ],
    )


def batch(tx: Transaction, batch_id: str) -> PredictionBatch | None:
    """A logged request by its id."""
    row = tx.one(f"SELECT {_BATCH} FROM prediction_batch WHERE id = ?", (batch_id,))
    return _to_batch(row) if row else None


def labelled_batches(tx: Transaction, request_ids: Sequence[str]) -> list[tuple[PredictionBatch, tuple[Label, ...]]]:
    """Every batch of some requests, with what was answered, champion first."""
    if not request_ids:
        return []
    rows = tx.all(
        f"SELECT {_BATCH}, labels FROM prediction_batch WHERE request_id IN ({placeholders(len(request_ids))}) "
        "ORDER BY request_id, paired_id, id",
        tuple(request_ids),
    )
    return [(_to_batch(row), _labels(bytes(row[20]))) for row in rows]


def set_right(tx: Transaction, rows: Iterable[tuple[int, int, str]]) -> None:
    """Note how many rows are labelled, and right, of batches."""
    tx.many("UPDATE prediction_batch SET labelled_rows = ?, right_rows = ? WHERE id = ?", list(rows))


def batches(  # noqa: PLR0913 -- each is one condition of the same query
    tx: Transaction,
    *,
    endpoint: str,
    delivery: str | None,
    role: str,
    version: int,
    since_ms: int,
    until_ms: int,
    after: tuple[int, str],
    limit: int,
) -> list[PredictionBatch]:
    """Requests of an endpoint by the time they came, from `since_ms` on and before `until_ms`."""
    conditions, bounds = ["endpoint = ?"], list[Any]((endpoint,))
    if delivery is not None:
        conditions.append("delivery = ?")
        bounds.append(delivery)
    if role:
        conditions.append("role = ?")
        bounds.append(role)
    if version:
        conditions.append("version = ?")
        bounds.append(version)
    conditions += ["received_at_ms >= ?", "received_at_ms < ?", "(received_at_ms, id) > (?, ?)"]
    rows = tx.all(
        f"SELECT {_BATCH} FROM prediction_batch WHERE {' AND '.join(conditions)} ORDER BY received_at_ms, id LIMIT ?",
        (*bounds, since_ms, until_ms, *after, limit),
    )
    return [_to_batch(row) for row in rows]


def truths(tx: Transaction, request_ids: Sequence[str]) -> dict[str, GroundTruth]:
    """Ground truth by request."""
    if not request_ids:
        return {}
    rows = tx.all(
        "SELECT request_id, endpoint, labels, received_at_ms FROM ground_truth "
        f"WHERE request_id IN ({placeholders(len(request_ids))})",
        tuple(request_ids),
    )
    return {
        row[0]: GroundTruth(
            request_id=row[0], endpoint=row[1], labels=_labels(bytes(row[2])), received_at=from_ms(row[3])
        )
        for row in rows
    }


def insert_truths(tx: Transaction, truths: Iterable[GroundTruth]) -> None:
    """Store ground truth."""
    tx.many(
        "INSERT INTO ground_truth (request_id, endpoint, labels, received_at_ms) VALUES (?, ?, ?, ?)",
        [(truth.request_id, truth.endpoint, _pack(truth.labels), to_ms(truth.received_at)) for truth in truths],
    )


def delivery_counts(tx: Transaction, endpoint: str, name: str) -> tuple[int, int]:
    """Rows answered and requests of a delivery, shadows left out."""
    row = tx.one(
        "SELECT COALESCE(SUM(row_count), 0), COUNT(*) FROM prediction_batch "
        "WHERE endpoint = ? AND delivery = ? AND role <> 'shadow' AND error = ''",
        (endpoint, name),
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)


def delivery(tx: Transaction, endpoint: str, name: str) -> Delivery | None:
    """A completed delivery."""
    row = tx.one(
        "SELECT endpoint, name, row_count, batch_count, completed_at_ms FROM delivery WHERE endpoint = ? AND name = ?",
        (endpoint, name),
    )
    return _to_delivery(row) if row else None


def deliveries(tx: Transaction, endpoint: str, limit: int) -> list[Delivery]:
    """The completed deliveries of an endpoint, the newest first."""
    rows = tx.all(
        "SELECT endpoint, name, row_count, batch_count, completed_at_ms FROM delivery WHERE endpoint = ? "
        "ORDER BY completed_at_ms DESC, name DESC LIMIT ?",
        (endpoint, limit),
    )
    return [_to_delivery(row) for row in rows]


def put_delivery(tx: Transaction, delivery: Delivery, at_ms: int) -> None:
    """Note that a delivery is complete."""
    tx.run(
        "INSERT INTO delivery (endpoint, name, row_count, batch_count, completed_at_ms) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (endpoint, name) DO UPDATE SET row_count = excluded.row_count, "
        "batch_count = excluded.batch_count, completed_at_ms = excluded.completed_at_ms",
        (delivery.endpoint, delivery.name, delivery.rows, delivery.batches, at_ms),
    )


def _text(value: object) -> str:
    return _encode(value).decode()


def _to_endpoint(row: Row) -> Endpoint:
    return Endpoint(
        name=row[0],
        model=row[1],
        version=row[2],
        previous_version=row[3],
        state=row[4],
        plan=_plan(row[5]),
        transform=_transform(row[6]),
        rollout_id=row[7],
        revision=row[8],
        salt=row[9],
        created_by=row[10],
        created_at=from_ms(row[11]),
        updated_at=from_ms(row[12]),
    )


def _to_rollout(row: Row) -> Rollout:
    evidence = msgspec.structs.replace(_evidence(row[10]), recent_failures=row[11])
    return Rollout(
        id=row[0],
        endpoint=row[1],
        model=row[2],
        from_version=row[3],
        to_version=row[4],
        state=row[5],
        step=row[6],
        weight=row[7],
        plan=_plan(row[8]),
        transform=_transform(row[9]),
        evidence=evidence,
        paused_in=row[12],
        reason=row[13],
        started_by=row[14],
        started_at=from_ms(row[15]),
        step_started_at=from_ms(row[16]),
        looked_at=from_ms(row[17]) if row[17] is not None else None,
        ended_at=from_ms(row[18]) if row[18] is not None else None,
        acknowledged_by=row[19],
        acknowledged_at=from_ms(row[20]) if row[20] is not None else None,
    )


def _to_batch(row: Row) -> PredictionBatch:
    return PredictionBatch(
        id=row[0],
        request_id=row[1],
        endpoint=row[2],
        model=row[3],
        version=row[4],
        role=row[5],
        rollout_id=row[6],
        phase=row[7],
        delivery=row[8],
        received_at=from_ms(row[9]),
        rows=row[10],
        latency_ms=row[11],
        error=row[12],
        paired_id=row[13],
        transform=_transform(row[14]),
        labelled_rows=row[15],
        right_rows=row[16],
        file=row[17],
        offset=row[18],
        size_bytes=row[19],
    )


def _to_delivery(row: Row) -> Delivery:
    return Delivery(endpoint=row[0], name=row[1], rows=row[2], batches=row[3], completed_at=from_ms(row[4]))


def rename_model(tx: Transaction, name: str, new_name: str, limit: int) -> int:
    """Call a model by its new name in endpoints and rollouts, and in some batches of the log; how many of these."""
    for table in ("endpoint", "rollout"):
        tx.run(f"UPDATE {table} SET model = ? WHERE model = ?", (new_name, name))
    return tx.run(
        "UPDATE prediction_batch SET model = ? WHERE id IN (SELECT id FROM prediction_batch WHERE model = ? LIMIT ?)",
        (new_name, name, limit),
    )
