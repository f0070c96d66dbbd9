from datetime import timedelta

import msgspec
import pytest
from tests.serving.conftest import NAME, House

from airside.core.errors import Conflict, Invalid, NotFound, Unavailable
from airside.platform.wiring import Platform
from airside.serving import log
from airside.serving.operations.deliveries import CompleteDelivery, ListDeliveries
from airside.serving.operations.predictions import (
    AppendPredictions,
    GetPrediction,
    GetTruths,
    LabelPredictions,
    LabelsOfRequest,
    ListBatches,
)
from airside.store import outbox


@pytest.fixture
def ready(house: House) -> House:
    house.model()
    house.endpoint()
    return house


def events(platform: Platform, name: str) -> list[dict[str, object]]:
    stored = platform.read(lambda ctx: outbox.after_named(ctx.tx, name, 0, limit=100))
    return [msgspec.json.decode(event.body) for event in stored]


def test_a_prediction_comes_back_with_its_inputs_outputs_and_truth(ready: House) -> None:
    batch = ready.batch((1, 0, 1))
    ready.append(batch)
    ready.ask(LabelPredictions(endpoint=NAME, items=(LabelsOfRequest(request_id=batch.request_id, labels=(1, 1, 1)),)))
    whole = ready.ask(GetPrediction(id=batch.id))
    assert (whole.columns.inputs, whole.columns.labels, whole.truth) == ({"x": [0.0, 1.0, 2.0]}, [1, 0, 1], (1, 1, 1))
    assert (whole.batch.labelled_rows, whole.batch.right_rows) == (3, 2)
    row = ready.ask(GetPrediction(id=f"{batch.id}.1"))
    assert (row.row, row.columns.inputs, row.columns.labels, row.truth) == (1, {"x": [1.0]}, [0], (1,))


def test_a_batch_that_is_handed_over_twice_is_stored_and_counted_once(ready: House) -> None:
    batch = ready.batch((1, 1))
    assert ready.append(batch).stored == 1
    assert ready.append(batch, ready.batch((1,))).stored == 1
    assert len(ready.ask(ListBatches(endpoint=NAME)).items) == 2
    assert ready.append(*[ready.batch((0,))] * 3).stored == 1


def test_batches_are_found_by_delivery_role_and_span_in_pages(ready: House) -> None:
    ready.append(*[ready.batch((1,), delivery="may" if i % 2 else "june") for i in range(6)])
    ready.append(ready.batch((1,), role="shadow", delivery="may"))
    assert len(ready.ask(ListBatches(endpoint=NAME, delivery="may")).items) == 4
    assert len(ready.ask(ListBatches(endpoint=NAME, delivery="may", role="champion")).items) == 3
    first = ready.ask(ListBatches(endpoint=NAME, max_results=4))
    rest = ready.ask(ListBatches(endpoint=NAME, max_results=4, page_token=first.next_page_token))
    assert [len(first.items), len(rest.items), rest.next_page_token] == [4, 3, ""]
    assert len({batch.id for batch in (*first.items, *rest.items)}) == 7
    middle = first.items[2].received_at
    assert len(ready.ask(ListBatches(endpoint=NAME, since=middle, until=middle + timedelta(milliseconds=1))).items) == 1
    with pytest.raises(Invalid):
        ready.ask(ListBatches(endpoint=NAME, page_token="x"))


def test_the_files_of_the_log_can_be_read_as_one_table(ready: House) -> None:
    ready.append(ready.batch((1, 0)), ready.batch((1,)))
    ready.append(ready.batch((0,)))
    batches = ready.ask(ListBatches(endpoint=NAME)).items
    table = log.read_batches(ready.platform.home, batches)
    assert (table.labels, table.inputs) == ([1, 0, 1, 0], {"x": [0.0, 1.0, 0.0, 0.0]})


def test_truth_said_again_changes_nothing_and_said_otherwise_is_refused(ready: House) -> None:
    batch = ready.batch((1, 0))
    ready.append(batch)
    truth = LabelPredictions(endpoint=NAME, items=(LabelsOfRequest(request_id=batch.request_id, labels=(1, 0)),))
    assert (ready.ask(truth).rows, ready.ask(truth).rows) == (2, 0)
    assert ready.ask(GetTruths(request_ids=(batch.request_id, "nobody"))).items[0].labels == (1, 0)
    other = LabelPredictions(endpoint=NAME, items=(LabelsOfRequest(request_id=batch.request_id, labels=(0, 0)),))
    with pytest.raises(Conflict, match="labelled otherwise"):
        ready.ask(other)


def test_truth_of_another_length_is_refused_whole(ready: House) -> None:
    batch = ready.batch((1, 0))
    ready.append(batch)
    with pytest.raises(Invalid, match="has 2 rows, but got 1"):
        ready.ask(LabelPredictions(endpoint=NAME, items=(LabelsOfRequest(request_id=batch.request_id, labels=(1,)),)))
    assert ready.ask(GetTruths(request_ids=(batch.request_id,))).items == ()


def test_a_delivery_is_complete_when_all_its_rows_are_in_the_log(ready: House, platform: Platform) -> None:
    ready.append(ready.batch((1, 1), delivery="may"), ready.batch((1, 1), delivery="may", role="shadow"))
    with pytest.raises(Unavailable, match="2 of 5 rows"):
        ready.ask(CompleteDelivery(endpoint=NAME, name="may", rows=5))
    ready.append(ready.batch((1, 1, 1), delivery="may"))
    done = ready.ask(CompleteDelivery(endpoint=NAME, name="may", rows=5))
    assert (done.rows, done.batches) == (5, 2)
    assert ready.ask(CompleteDelivery(endpoint=NAME, name="may", rows=5)) == done
    assert ready.ask(ListDeliveries(endpoint=NAME)).items == (done,)
    assert [event["delivery"] for event in events(platform, "DeliveryCompleted")] == ["may"]
    with pytest.raises(NotFound):
        ready.ask(CompleteDelivery(endpoint=NAME, name="june"))


def test_a_failed_request_is_logged_without_labels(ready: House) -> None:
    batch = ready.batch((), error="ModelFailed", rows=3)
    ready.append(batch)
    found = ready.ask(GetPrediction(id=batch.id))
    assert (found.batch.error, found.batch.rows, found.columns.labels) == ("ModelFailed", 3, [])


@pytest.mark.parametrize("asked", ["p-0", "p-0.x", "nonsense", "p-" + "0" * 31 + "1.9"])
def test_what_is_not_in_the_log_is_said(ready: House, asked: str) -> None:
    ready.append(ready.batch((1,)))
    with pytest.raises(NotFound):
        ready.ask(GetPrediction(id=asked))


def test_a_batch_whose_labels_do_not_match_its_rows_is_refused(ready: House) -> None:
    wrong = msgspec.structs.replace(ready.batch((1, 0)), rows=3)
    with pytest.raises(Invalid, match="3 rows and 2 labels"):
        ready.ask(AppendPredictions(batches=(wrong,)))
