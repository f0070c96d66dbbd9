"""Verbs on the prediction log and its ground truth."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.ids import EndpointName, ModelName
from airside.core.operation import Context, Services, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask, Record
from airside.registry.operations.models import GetModel, get_model
from airside.serving import counting, judge, log, progress, queries, rules
from airside.serving.counting import Answer, Counts
from airside.serving.events import LabelsArrived
from airside.serving.records import (
    GroundTruth,
    Label,
    LoggedColumns,
    LoggedPrediction,
    NewBatch,
    PredictionBatch,
    PredictionBatchPage,
    Rollout,
)

MAX_BATCHES = 500
"""Requests in one hand-over, and requests labelled in one call."""


class Appended(Record):
    """What became of a hand-over: `stored` are new, the rest were there before. `revision` is the routing's."""

    stored: int
    revision: int


class AppendPredictions(Ask[Appended]):
    """Requests that a serving process answered. An id that is known is not stored again."""

    batches: tuple[NewBatch, ...]


def _write_rows(services: Services, ask: AppendPredictions) -> dict[str, log.Place]:
    groups: dict[tuple[str, str], list[NewBatch]] = defaultdict(list)
    for batch in ask.batches:
        if batch.body:
            groups[batch.endpoint, batch.received_at.strftime("%Y-%m-%d")].append(batch)
    places: dict[str, log.Place] = {}
    for (endpoint, day), batches in groups.items():
        written = log.write_bodies(services.home, endpoint, day, [batch.body for batch in batches])
        places.update(zip((batch.id for batch in batches), written, strict=True))
    return places


@operation("predictions.append", needs="prediction:append", audit="measure", prepare=_write_rows)
def append_predictions(ctx: Context, ask: AppendPredictions) -> Appended:
    """Store answered requests, count them for their rollout, and pull its brake if it is time.

    Raises:
        Invalid: too many at once, or a batch without a label for each row.
    """
    _check_batches(ask.batches)
    known = queries.known_batches(ctx.tx, [batch.id for batch in ask.batches])
    fresh = {batch.id: batch for batch in ask.batches if batch.id not in known}
    new = _under_new_names(ctx, list(fresh.values()))
    places: dict[str, log.Place] = ctx.prepared or {}
    nowhere = log.Place("", 0, 0)
    at = [(batch, places.get(batch.id, nowhere)) for batch in new]
    queries.insert_batches(ctx.tx, [(batch, place.file, place.offset, place.size_bytes) for batch, place in at])
    counts = Counts()
    answers = [_answer(batch, batch.labels) for batch in new]
    rollouts = _rollouts(ctx, answers)
    for answer in answers:
        if answer.rollout_id in rollouts:
            objective = rollouts[answer.rollout_id].plan.latency_objective_ms
            counting.count_answer(counts, answer, objective)
    _count_pairs(ctx, counts, answers, rollouts)
    truths = queries.truths(ctx.tx, sorted({answer.request_id for answer in answers}))
    if truths:
        _join(ctx, counts, truths, only={answer.id for answer in answers})
    queries.add_tallies(ctx.tx, counts.items())
    for rollout in rollouts.values():
        _brake(ctx, rollout, answers)
    return Appended(stored=len(new), revision=queries.revision(ctx.tx))


class GetPrediction(Ask[LoggedPrediction]):
    """A logged request by its id `p-…`, or one row of it, `p-….17`."""

    id: str


def _read_rows(services: Services, ask: GetPrediction) -> LoggedColumns | None:
    batch_id, _ = _split_id(ask.id)
    batch: PredictionBatch | None = services.read(lambda ctx: queries.batch(ctx.tx, batch_id))
    return None if batch is None else log.read_body(services.home, batch)


@operation("predictions.get", needs="prediction:read", prepare=_read_rows)
def get_prediction(ctx: Context, ask: GetPrediction) -> LoggedPrediction:
    """A logged prediction with its inputs, outputs and ground truth.

    Raises:
        NotFound: there is no such request, or it has no such row.
    """
    batch_id, row = _split_id(ask.id)
    batch = queries.batch(ctx.tx, batch_id)
    if batch is None or ctx.prepared is None:
        raise NotFound(f"No prediction '{batch_id}'. List those of an endpoint with: predictions.batches")
    truth = queries.truths(ctx.tx, [batch.request_id]).get(batch.request_id)
    labels = truth.labels if truth else ()
    columns: LoggedColumns = ctx.prepared
    if row is None:
        return LoggedPrediction(batch=batch, row=None, columns=columns, truth=labels)
    if row >= batch.rows:
        raise NotFound(f"Prediction '{batch_id}' has {batch.rows} rows, numbered from 0; asked for row {row}.")
    return LoggedPrediction(batch=batch, row=row, columns=log.pick_row(columns, row), truth=labels[row : row + 1])


class ListBatches(Ask[PredictionBatchPage]):
    """Logged requests of an endpoint.

    Attributes:
        delivery: only those of this delivery; None for all.
        role, version: only those; empty and 0 for all.
        since, until: those received from `since` on and before `until`.
    """

    endpoint: EndpointName
    delivery: str | None = None
    role: str = ""
    version: int = 0
    since: datetime | None = None
    until: datetime | None = None
    max_results: int = 1000
    page_token: str = ""


@operation("predictions.batches", needs="prediction:read")
def list_batches(ctx: Context, ask: ListBatches) -> PredictionBatchPage:
    """Logged requests by the time they came. `serving.log.read_batches` reads their rows.

    Raises:
        Invalid: the page's size is none, or the token cannot be read.
    """
    size = page_size(ask.max_results, 10_000)
    found = queries.batches(
        ctx.tx,
        endpoint=ask.endpoint,
        delivery=ask.delivery,
        role=ask.role,
        version=ask.version,
        since_ms=to_ms(ask.since) if ask.since else -(2**62),
        until_ms=to_ms(ask.until) if ask.until else 2**62,
        after=_cursor(ask.page_token),
        limit=size + 1,
    )
    items, following = cut(found, size, lambda last: f"{to_ms(last.received_at)}.{last.id}")
    return PredictionBatchPage(items=items, next_page_token=following)


class LabelsOfRequest(Record):
    """What was true for the rows of one request, in their order."""

    request_id: str
    labels: tuple[Label, ...]


class Labelled(Record):
    """What ground truth met. `waiting` requests are not in the log yet; they are joined when they come."""

    requests: int
    rows: int
    right: int
    waiting: int


class LabelPredictions(Ask[Labelled]):
    """Ground truth for requests of an endpoint."""

    endpoint: EndpointName
    items: tuple[LabelsOfRequest, ...]


@operation("predictions.label", needs="prediction:label", audit="measure")
def label_predictions(ctx: Context, ask: LabelPredictions) -> Labelled:
    """Join ground truth with every answer to the same requests: champion, canary and shadow.

    To say the same again changes nothing.

    Raises:
        Invalid: too many at once, or the number of labels is not that of the rows.
        Conflict: a request was labelled otherwise before.
    """
    if len(ask.items) > MAX_BATCHES:
        raise Invalid(f"{len(ask.items)} requests in one call. Send at most {MAX_BATCHES}.")
    wanted = {item.request_id: item for item in ask.items}
    before = queries.truths(ctx.tx, sorted(wanted))
    for known in before.values():
        if known.labels != wanted[known.request_id].labels or known.endpoint != ask.endpoint:
            raise Conflict(
                f"Request '{known.request_id[:80]}' was labelled otherwise before. Ground truth stays as it is."
            )
    now = from_ms(ctx.now_ms())
    new = {
        item.request_id: GroundTruth(
            request_id=item.request_id, endpoint=ask.endpoint, labels=item.labels, received_at=now
        )
        for item in wanted.values()
        if item.request_id not in before
    }
    queries.insert_truths(ctx.tx, new.values())
    counts = Counts()
    joined = _join(ctx, counts, new, only=None)
    queries.add_tallies(ctx.tx, counts.items())
    if joined.rows:
        ctx.announce(
            LabelsArrived(
                endpoint=ask.endpoint, deliveries=joined.deliveries, requests=joined.requests, rows=joined.rows
            )
        )
    return Labelled(requests=joined.requests, rows=joined.rows, right=joined.right, waiting=len(new) - joined.requests)


class TruthList(Record):
    """Ground truth of some requests; those without are left out."""

    items: tuple[GroundTruth, ...]


class GetTruths(Ask[TruthList]):
    """Ask for the ground truth of requests."""

    request_ids: tuple[str, ...]


@operation("predictions.truths", needs="prediction:read")
def get_truths(ctx: Context, ask: GetTruths) -> TruthList:
    """The ground truth of requests, by request.

    Raises:
        Invalid: too many at once.
    """
    if len(ask.request_ids) > 10_000:
        raise Invalid(f"{len(ask.request_ids)} requests in one call. Ask for at most 10,000.")
    return TruthList(items=tuple(queries.truths(ctx.tx, ask.request_ids).values()))


class _Joined(NamedTuple):
    requests: int
    rows: int
    right: int
    deliveries: tuple[str, ...]


def _check_batches(batches: Sequence[NewBatch]) -> None:
    if len(batches) > MAX_BATCHES:
        raise Invalid(f"{len(batches)} requests in one hand-over. Send at most {MAX_BATCHES}.")
    for batch in batches:
        if not batch.error and len(batch.labels) != batch.rows:
            raise Invalid(f"Batch '{batch.id[:80]}' has {batch.rows} rows and {len(batch.labels)} labels.")


def _under_new_names(ctx: Context, batches: list[NewBatch]) -> list[NewBatch]:
    """Requests that waited in a spool while their model got another name: they go by that of their endpoint."""
    names: dict[tuple[EndpointName, ModelName], ModelName] = {}
    for place in {(batch.endpoint, batch.model) for batch in batches}:
        endpoint = queries.endpoint(ctx.tx, place[0])
        if endpoint is not None and endpoint.model != place[1]:
            with suppress(NotFound):
                get_model(ctx, GetModel(name=place[1]))
                continue
            names[place] = endpoint.model
    if not names:
        return batches
    return [msgspec.structs.replace(each, model=names.get((each.endpoint, each.model), each.model)) for each in batches]


def _rollouts(ctx: Context, answers: Iterable[Answer]) -> dict[str, Rollout]:
    found = {}
    for rollout_id in {answer.rollout_id for answer in answers if answer.rollout_id}:
        rollout = queries.rollout(ctx.tx, rollout_id)
        if rollout is not None and rollout.state not in rules.FINAL:
            found[rollout_id] = rollout
    return found


def _count_pairs(ctx: Context, counts: Counts, answers: Sequence[Answer], rollouts: dict[str, Rollout]) -> None:
    shadows = [answer for answer in answers if answer.role == "shadow" and answer.rollout_id in rollouts]
    if not shadows:
        return
    stored = queries.labelled_batches(ctx.tx, sorted({shadow.request_id for shadow in shadows}))
    fresh = {shadow.id for shadow in shadows}
    for champion, shadow in counting.pairs([_answer(batch, labels) for batch, labels in stored]):
        if shadow.id in fresh:
            counting.count_pair(counts, champion, shadow)


def _join(ctx: Context, counts: Counts, truths: dict[str, GroundTruth], only: set[str] | None) -> _Joined:
    """Join ground truth with stored answers: with all of them, or with those that have just come."""
    stored = [
        (batch, labels)
        for batch, labels in queries.labelled_batches(ctx.tx, sorted(truths))
        if batch.endpoint == truths[batch.request_id].endpoint
    ]
    answers = [_answer(batch, labels) for batch, labels in stored]
    marks, requests, rows, right_seen = [], set(), 0, 0
    for answer in answers:
        truth = truths[answer.request_id].labels
        if len(truth) != answer.rows:
            if only is not None:
                continue
            raise Invalid(f"Request '{answer.request_id[:80]}' has {answer.rows} rows, but got {len(truth)} labels.")
        if answer.failed or (only is not None and answer.id not in only):
            continue
        right = counting.count_truth(counts, answer, truth)
        marks.append((answer.rows, right, answer.id))
        if answer.role != "shadow":
            requests.add(answer.request_id)
            rows, right_seen = rows + answer.rows, right_seen + right
    queries.set_right(ctx.tx, marks)
    for champion, shadow in counting.pairs(answers):
        if len(truths[shadow.request_id].labels) == shadow.rows and (only is None or shadow.id in only):
            counting.count_labelled_pair(counts, champion, shadow, truths[shadow.request_id].labels)
    deliveries = tuple(sorted({batch.delivery for batch, _ in stored if batch.delivery}))
    return _Joined(len(requests), rows, right_seen, deliveries)


def _brake(ctx: Context, rollout: Rollout, answers: Sequence[Answer]) -> None:
    mine = [a.failed for a in answers if a.rollout_id == rollout.id and a.role in {"canary", "shadow"}]
    if not mine:
        return
    keep = max(rollout.plan.brake.last, rollout.plan.brake.in_a_row)
    recent = rules.remember(rollout.evidence.recent_failures, mine, keep)
    queries.set_recent(ctx.tx, rollout.id, recent)
    why = judge.brake_text(recent, rollout.plan.brake)
    if why and rollout.state in {"shadow", "canary"}:
        evidence = msgspec.structs.replace(rollout.evidence, recent_failures=recent)
        seen = msgspec.structs.replace(rollout, evidence=evidence)
        progress.follow_signal(ctx, seen, "harm", f"Brake: {why}.")


def _answer(batch: NewBatch | PredictionBatch, labels: tuple[Label, ...]) -> Answer:
    return Answer(
        batch.id,
        batch.request_id,
        batch.role,
        batch.rollout_id,
        batch.phase,
        batch.rows,
        batch.latency_ms,
        bool(batch.error),
        batch.paired_id,
        labels,
    )


def _split_id(text: str) -> tuple[str, int | None]:
    batch_id, dot, row = text.partition(".")
    if dot and not (row.isascii() and row.isdigit() and len(row) < 10):
        raise NotFound(f"No prediction '{text[:80]}'. A row of a batch is written 'p-….17'.")
    return batch_id, int(row) if dot else None


def _cursor(token: str) -> tuple[int, Any]:
    if not token:
        return (-(2**62), "")
    at, _, batch_id = token.partition(".")
    try:
        return int(at), batch_id
    except ValueError:
        raise Invalid("The page token cannot be read. Use the one of the last answer.") from None
