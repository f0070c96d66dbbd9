"""Evaluation datasets and scorers, on both databases."""

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import Invalid, NotFound
from airside.core.ids import ExperimentId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.evaluation import rules
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
from airside.tracking.evaluation.operations.scorers import (
    DeleteScorer,
    GetScorer,
    ListScorers,
    ListScorersOf,
    ListScorerVersions,
    RegisterScorer,
)
from airside.tracking.evaluation.records import EvaluationDataset, NewEvaluationRecord, RecordSource
from airside.tracking.operations.experiments import CreateExperiment, DeleteExperiment
from airside.tracking.records import Tag

ZERO = ExperimentId("0")


def dataset(platform: Platform, name: str = "set", **tags: str) -> EvaluationDataset:
    asked = CreateEvaluationDataset(
        name=name, experiment_ids=(ZERO,), tags=tuple(Tag(key=key, value=value) for key, value in tags.items())
    )
    return platform.call(LOCAL, asked)


def upsert(platform: Platform, dataset_id: str, *records: NewEvaluationRecord) -> tuple[int, int]:
    done = platform.call(LOCAL, UpsertEvaluationRecords(dataset_id=dataset_id, records=records))
    return done.n_inserted, done.n_updated


def record(q: str, **more: object) -> NewEvaluationRecord:
    return NewEvaluationRecord(inputs={"q": q, "n": 1}, **more)


def test_equal_inputs_are_one_record_to_which_is_added(platform: Platform, clock: FixedClock) -> None:
    made = dataset(platform)
    source = RecordSource(source_type="TRACE", source_data={"trace_id": "tr-1"})
    first = upsert(platform, made.dataset_id, record("a", expectations={"e": 1}, source=source), record("b"))
    clock.advance(seconds=1)
    again = NewEvaluationRecord(
        inputs={"n": 1, "q": "a"}, outputs=None, has_outputs=True, expectations={"f": 2}, tags={"mlflow.user": "ann"}
    )
    second = upsert(platform, made.dataset_id, again, record("c", outputs=[1]))
    kept = platform.call(LOCAL, ListEvaluationRecords(dataset_id=made.dataset_id)).items

    assert (first, second) == ((2, 0), (1, 1))
    assert [each.inputs["q"] for each in kept] == ["a", "b", "c"]
    assert (kept[0].expectations, kept[0].outputs, kept[0].source, kept[0].updated_by) == (
        {"e": 1, "f": 2},
        None,
        source,
        "ann",
    )
    assert (kept[1].outputs, kept[2].outputs) == ({}, [1])


def test_a_dataset_tells_its_fields_and_how_many_records_it_has(platform: Platform) -> None:
    made = dataset(platform)
    upsert(platform, made.dataset_id, record("a", expectations={"e": 1.5}), record("b", outputs="text"))
    after = platform.call(LOCAL, GetEvaluationDataset(dataset_id=made.dataset_id))
    ids = [each.record_id for each in platform.call(LOCAL, ListEvaluationRecords(dataset_id=made.dataset_id)).items]
    deleted = platform.call(LOCAL, DeleteEvaluationRecords(dataset_id=made.dataset_id, record_ids=(ids[0], "dr-0")))

    assert (made.fields, made.n_records, after.n_records) == (None, None, 2)
    assert after.fields == {
        "inputs": {"q": "string", "n": "integer"},
        "outputs": "string",
        "expectations": {"e": "float"},
        "version": "1.0",
    }
    assert deleted.n_deleted == 1
    assert platform.call(LOCAL, GetEvaluationDataset(dataset_id=made.dataset_id)).n_records == 1


def test_records_are_listed_page_by_page_in_the_order_in_which_they_came(platform: Platform) -> None:
    made = dataset(platform)
    upsert(platform, made.dataset_id, *(record(str(n)) for n in range(7)))
    seen, token = "", ""
    for _ in range(4):
        page = platform.call(LOCAL, ListEvaluationRecords(dataset_id=made.dataset_id, max_results=2, page_token=token))
        seen, token = seen + "".join(each.inputs["q"] for each in page.items), page.next_page_token

    assert (seen, token) == ("0123456", "")


FOUND = {
    "": "cba",
    "name = 'a'": "a",
    "name != 'a'": "cb",
    "name IN ('a', 'c')": "ca",
    "name LIKE 'b%'": "b",
    "name > 'a'": "cb",
    "tags.t = '1'": "ba",
    "tags.t != '1'": "c",
    "tags.nobody = '1'": "",
    "created_by = 'ann'": "a",
    "last_updated_by = 'ann'": "a",
    "created_time > 1750000001000": "c",
    "last_update_time <= 1750000001000 AND tags.t ILIKE '1'": "ba",
}


def test_datasets_are_searched_newest_first(platform: Platform, clock: FixedClock) -> None:
    for name, tags in (("a", {"t": "1", "mlflow.user": "ann"}), ("b", {"t": "1"}), ("c", {"t": "2"})):
        dataset(platform, name, **tags)
        clock.advance(seconds=1)

    def found(text: str, *order: str) -> str:
        pages, token = "", ""
        while True:
            asked = SearchEvaluationDatasets(
                experiment_ids=(ZERO,), filter=text, order_by=order, max_results=2, page_token=token
            )
            page = platform.call(LOCAL, asked)
            pages, token = pages + "".join(each.name for each in page.items), page.next_page_token
            if not token:
                return pages

    assert {text: found(text) for text in FOUND} == FOUND
    assert (found("", "name"), found("", "created_time ASC"), found("", "name DESC", "name")) == ("abc", "abc", "cba")
    for bad in ("foo = 'x'", "tags.a IS NULL", "name NOT IN ('a')", "created_time > 1.5"):
        with pytest.raises(Invalid):
            found(bad)
    for bad in ("digest", "tags.a"):
        with pytest.raises(Invalid):
            found("", bad)


def test_a_dataset_belongs_to_experiments(platform: Platform) -> None:
    made = dataset(platform)
    other = platform.call(LOCAL, CreateExperiment(name="other")).experiment_id
    both = {"dataset_id": made.dataset_id, "experiment_ids": (ZERO, other)}
    platform.call(LOCAL, AddEvaluationDatasetToExperiments(**both))
    asked = ListEvaluationDatasetExperiments(dataset_id=made.dataset_id)
    before = platform.call(LOCAL, asked).items
    platform.call(LOCAL, RemoveEvaluationDatasetFromExperiments(**both))

    assert (before, platform.call(LOCAL, asked).items) == ((ZERO, other), ())
    with pytest.raises(NotFound, match="No Experiment with id=99"):
        platform.call(
            LOCAL, AddEvaluationDatasetToExperiments(dataset_id=made.dataset_id, experiment_ids=(ExperimentId("99"),))
        )
    with pytest.raises(NotFound, match="Dataset 'd-0' not found"):
        platform.call(LOCAL, RemoveEvaluationDatasetFromExperiments(dataset_id="d-0", experiment_ids=()))


def test_tags_change_and_a_deleted_dataset_leaves_nothing(platform: Platform) -> None:
    made = dataset(platform, a="1", b="2")
    upsert(platform, made.dataset_id, record("a"))
    tags = (Tag(key="a", value="3"), Tag(key="c", value="4"))
    platform.call(LOCAL, SetEvaluationDatasetTags(dataset_id=made.dataset_id, tags=tags))
    platform.call(LOCAL, DeleteEvaluationDatasetTag(dataset_id=made.dataset_id, key="b"))
    after = platform.call(LOCAL, GetEvaluationDataset(dataset_id=made.dataset_id)).tags
    for _ in range(2):
        platform.call(LOCAL, DeleteEvaluationDataset(dataset_id=made.dataset_id))
    tables = ("evaluation_dataset", "evaluation_dataset_tag", "evaluation_dataset_experiment", "evaluation_record")

    left = platform.read(lambda ctx: [ctx.tx.one(f"SELECT COUNT(*) FROM {table}") for table in tables])

    assert after == tags
    assert left == [(0,)] * 4
    for ask in (
        GetEvaluationDataset(dataset_id=made.dataset_id),
        SetEvaluationDatasetTags(dataset_id=made.dataset_id, tags=()),
        UpsertEvaluationRecords(dataset_id=made.dataset_id, records=()),
        ListEvaluationRecords(dataset_id=made.dataset_id),
    ):
        with pytest.raises(NotFound):
            platform.call(LOCAL, ask)


def test_what_is_too_much_is_refused(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    made = dataset(platform)
    monkeypatch.setattr(rules, "MAX_RECORDS", 1)
    monkeypatch.setattr(rules, "MAX_EXPERIMENTS", 1)
    for ask in (
        UpsertEvaluationRecords(dataset_id=made.dataset_id, records=(record("a"), record("b"))),
        DeleteEvaluationRecords(dataset_id=made.dataset_id, record_ids=("a", "b")),
        SearchEvaluationDatasets(experiment_ids=(ZERO, ExperimentId("1"))),
        ListEvaluationRecords(dataset_id=made.dataset_id, max_results=0),
        CreateEvaluationDataset(name=""),
        CreateEvaluationDataset(name="x" * 256),
    ):
        with pytest.raises(Invalid):
            platform.call(LOCAL, ask)


# --- scorers -------------------------------------------------------------------------------------------------------


def register(platform: Platform, name: str = "s", text: str = "{}", experiment: ExperimentId = ZERO) -> int:
    return platform.call(LOCAL, RegisterScorer(experiment_id=experiment, name=name, serialized=text)).version


def test_a_scorer_has_versions(platform: Platform) -> None:
    assert [register(platform, text=text) for text in ('{"a": 1}', '{"a": 2}')] == [1, 2]
    named = {"experiment_id": ZERO, "name": "s"}

    assert platform.call(LOCAL, GetScorer(**named)).serialized == '{"a": 2}'
    assert platform.call(LOCAL, GetScorer(**named, version=1)).serialized == '{"a": 1}'
    assert [each.version for each in platform.call(LOCAL, ListScorerVersions(**named)).items] == [1, 2]
    platform.call(LOCAL, DeleteScorer(**named, version=1))
    assert [each.version for each in platform.call(LOCAL, ListScorerVersions(**named)).items] == [2]
    platform.call(LOCAL, DeleteScorer(**named))
    for ask in (GetScorer(**named), GetScorer(**named, version=1), DeleteScorer(**named), ListScorerVersions(**named)):
        with pytest.raises(NotFound):
            platform.call(LOCAL, ask)


def test_the_newest_of_each_scorer_is_listed(platform: Platform) -> None:
    other = platform.call(LOCAL, CreateExperiment(name="other")).experiment_id
    for name in ("b", "a", "b"):
        register(platform, name)
    register(platform, "c", experiment=other)

    def listed(ask: ListScorers | ListScorersOf) -> list[tuple[str, int]]:
        return [(each.name, each.version) for each in platform.call(LOCAL, ask).items]

    assert listed(ListScorersOf(experiment_id=ZERO)) == [("a", 1), ("b", 2)]
    assert listed(ListScorers()) == [("a", 1), ("b", 2), ("c", 1)]
    assert listed(ListScorers(experiment_ids=(other, ExperimentId("99")))) == [("c", 1)]
    assert listed(ListScorers(experiment_ids=())) == []
    platform.call(LOCAL, DeleteExperiment(experiment_id=other))
    assert listed(ListScorers()) == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (" ", "{}", "empty or contain only whitespace"),
        ("s", "{", "must be valid JSON"),
        ("s", '{"a": [{"call_source": "import os"}]}', "runs the code"),
        ("s", '{"instructions_judge_pydantic_data": {"model": " "}}', "Scorer model cannot be empty"),
        ("s", '{"builtin_scorer_pydantic_data": {"model": 1}}', "must be a string, got integer"),
        (
            "s",
            '{"memory_augmented_judge_data": {"base_judge": {"third_party_scorer_data": {"model": ""}}}}',
            "be empty",
        ),
        ("s", '"' + "x" * (1 << 20) + '"', "at most"),
    ],
)
def test_a_scorer_that_cannot_be_kept_is_refused(platform: Platform, name: str, text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        register(platform, name, text)
