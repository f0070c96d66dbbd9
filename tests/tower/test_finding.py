"""Searches across rooms: by a record's own words, and by those of the records that it hangs together with."""

from typing import TypeVar

import pytest

from airside.core.errors import Invalid
from airside.core.ids import DatasetName, EndpointName, ModelName, RunId
from airside.core.operation import LOCAL
from airside.core.record import Ask
from airside.data.operations.datasets import CreateDataset
from airside.data.operations.versions import CommitDatasetVersion
from airside.data.records import DatasetFile, DatasetVersion
from airside.platform.wiring import Platform
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.models import CreateModel, SetModelTag
from airside.registry.operations.versions import CreateVersion
from airside.serving.operations.endpoints import CreateEndpoint
from airside.tower.nouns import NOUNS, PLURALS, way
from airside.tower.operations.finding import ListSearchable, SearchRecords
from airside.tracking.operations.logging import LogBatch, LogInputs
from airside.tracking.operations.runs import CreateRun
from airside.tracking.records import Dataset, DatasetInput, LoggedMetric, Param, Tag

T = TypeVar("T")
MODEL = ModelName("jobs")


class Office:
    """Three versions of a dataset, a run on each with auc 0.7, 0.8, 0.9, a model version of each; the last serves."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.ask(CreateModel(name=MODEL))
        self.ask(CreateDataset(name=DatasetName("people")))
        self.runs = [self._trained(number) for number in (1, 2, 3)]
        self.ask(SetAlias(name=MODEL, alias="champion", version=3))
        self.ask(CreateEndpoint(name=EndpointName("jobs-live"), model=MODEL))

    def ask(self, ask: Ask[T]) -> T:
        return self._platform.call(LOCAL, ask)

    def data(self, number: int) -> DatasetVersion:
        content = b"a\n" + str(number).encode()
        file = DatasetFile(path="a.csv", size_bytes=len(content), digest=self._platform.blobs.put([content]))
        return self.ask(CommitDatasetVersion(name=DatasetName("people"), files=(file,), rows=number))

    def _trained(self, number: int) -> RunId:
        data = self.data(number)
        run = self.ask(CreateRun(name=f"try {number}", start_time_ms=number)).info.run_id
        seen = Dataset(name="people", digest=data.digest[3:11], source_type="airside", source=data.id)
        self.ask(LogInputs(run_id=run, datasets=(DatasetInput(dataset=seen),)))
        self.ask(
            LogBatch(
                run_id=run,
                metrics=(LoggedMetric(key="auc", value=0.6 + number / 10, timestamp_ms=1),),
                params=(Param(key="kind", value="forest" if number < 3 else "boosting"),),
                tags=(Tag(key="team", value="core"),),
            )
        )
        self.ask(CreateVersion(name=MODEL, source=f"runs:/{run}/model", run_id=run))
        return run

    def found(self, find: str, text: str = "", order_by: str = "") -> list[str]:
        return [match.id for match in self.ask(SearchRecords(find=find, filter=text, order_by=order_by)).items]


@pytest.fixture
def office(platform: Platform) -> Office:
    return Office(platform)


@pytest.mark.parametrize(
    ("find", "text", "expected"),
    [
        ("versions", "dataset.name = 'people' AND dataset.version = 3 AND metrics.auc > 0.8", ["jobs@3"]),
        ("versions", "dataset.version = 2 AND dataset.rows_held = 3", []),
        ("versions", "metrics.auc >= 0.75 AND endpoint.state = 'serving'", ["jobs@3"]),
        ("versions", "metrics.auc < 0.75", ["jobs@1"]),
        ("versions", "params.kind = 'forest'", ["jobs@1", "jobs@2"]),
        ("versions", "alias.name = 'champion'", ["jobs@3"]),
        ("versions", "alias = 'champion'", ["jobs@3"]),
        ("versions", "alias IN ('champion', 'challenger') AND version < 3", []),
        ("models", "alias = 'champion'", ["jobs"]),
        ("endpoints", "version.alias LIKE 'champ%'", ["jobs-live"]),
        ("runs", "version.alias = 'challenger'", []),
        ("versions", "run.tags.team = 'core' AND run.metrics.auc > 0.85", ["jobs@3"]),
        ("versions", "run.name LIKE 'try%' AND version IN ('1')", None),
        ("versions", "name = 'jobs' AND version != 2", ["jobs@1", "jobs@3"]),
        ("versions", "created > '2020-01-01' AND created > '-3650d'", ["jobs@1", "jobs@2", "jobs@3"]),
        ("versions", "created < '2020-01-01T00:00:00Z'", []),
        ("versions", "model.name = 'jobs' AND card.status = 'pass'", []),
        ("endpoints", "run.params.kind = 'boosting'", ["jobs-live"]),
        ("endpoints", "dataset.version = 1", []),
        ("models", "version.run.name = 'x'", None),
        ("models", "run.metrics.auc > 0.85", ["jobs"]),
        ("models", "tags.owner IS NULL", ["jobs"]),
        ("predictions", "dataset.name = 'people'", []),
        ("monitors", "version.stage = 'Production'", []),
        ("alerts", "run.tags.team = 'core' AND state = 'open'", []),
        ("experiments", "run.metrics.auc > 0.85 AND name = 'Default'", ["0"]),
        ("rollouts", "endpoint.name = 'jobs-live'", []),
        ("logged-models", "metrics.auc > 1", []),
        ("pipeline-runs", "run.status = 'RUNNING'", []),
        ("windows", "state = 'flagged' AND version > 1", []),
    ],
)
def test_a_filter_follows_the_chain(office: Office, find: str, text: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(Invalid):
            office.found(find, text)
    else:
        assert sorted(office.found(find, text)) == expected


def test_runs_and_datasets_are_found_by_each_other(office: Office) -> None:
    assert office.found("runs", "dataset.version = 2") == [office.runs[1]]
    assert office.found("runs", "endpoint.name = 'jobs-live'") == [office.runs[2]]
    assert office.found("runs") == office.runs[::-1]
    (found,) = office.ask(SearchRecords(find="datasets", filter="endpoint.state = 'serving'")).items
    assert (found.values["name"], found.values["version"], found.kind) == ("people", 3, "dataset_version")


def test_a_dataset_that_only_a_client_knows_is_found_too(office: Office) -> None:
    foreign = Dataset(name="csv", digest="12345678", source_type="http", source="{}")
    office.ask(LogInputs(run_id=office.runs[0], datasets=(DatasetInput(dataset=foreign),)))
    assert office.found("versions", "dataset.name = 'csv' AND dataset.digest = '12345678'") == ["jobs@1"]
    assert office.found("versions", "dataset.name = 'csv' AND dataset.version = 1") == []


def test_an_answer_shows_the_fields_and_what_was_asked_for(office: Office) -> None:
    page = office.ask(SearchRecords(find="versions", filter="tags.team IS NULL", order_by="metrics.auc DESC"))
    assert [match.values["metrics.auc"] for match in page.items] == [pytest.approx(x) for x in (0.9, 0.8, 0.7)]
    assert page.items[0].link == "/models/jobs/versions/3"
    assert page.items[0].values["tags.team"] is None
    assert str(page.items[0].values["created"])[10] == "T"


@pytest.mark.parametrize("order_by", ["", "metrics.auc", "metrics.auc DESC", "version", "params.kind", "run_id DESC"])
def test_pages_join_without_a_gap_or_a_double(office: Office, order_by: str) -> None:
    office.ask(CreateVersion(name=MODEL, source="s3://elsewhere/model"))  # has neither a run nor metrics
    whole = office.found("versions", order_by=order_by)
    seen, token = [], ""
    while True:
        page = office.ask(SearchRecords(find="versions", order_by=order_by, max_results=1, page_token=token))
        seen += [match.id for match in page.items]
        token = page.next_page_token
        if not token:
            break
    assert seen == whole
    assert len(seen) == 4
    if order_by.startswith("metrics"):
        assert seen[-1] == "jobs@4"


def test_a_prompt_is_no_version(office: Office) -> None:
    prompt = ModelName("greeting")
    office.ask(CreateModel(name=prompt))
    assert office.found("models", "name = 'greeting'") == ["greeting"]
    office.ask(SetModelTag(name=prompt, key="mlflow.prompt.is_prompt", value="true"))
    assert office.found("models", "name = 'greeting'") == []


@pytest.mark.parametrize(
    ("find", "text", "order_by", "words"),
    [
        ("cars", "", "", "versions, "),
        ("versions", "dataset.colour = 'red'", "", "rows_held"),
        ("versions", "wheel.name = 'x'", "", "endpoint"),
        ("versions", "created > 'yesterday'", "", "'-24h'"),
        ("versions", "metrics.auc > 'high'", "", "numeric"),
        ("versions", "stage = 3", "", "quoted string"),
        ("versions", "", "endpoint.name", "order_by"),
        ("versions", " AND ".join(["version > 1"] * 31), "", "at most 30"),
        ("versions", "x" * 8001, "", "at most 8000"),
    ],
)
def test_what_cannot_be_asked_is_told(office: Office, find: str, text: str, order_by: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        office.found(find, text, order_by)


def test_a_token_of_another_search_is_refused(office: Office) -> None:
    token = office.ask(SearchRecords(find="versions", max_results=1)).next_page_token
    with pytest.raises(Invalid, match="Start again"):
        office.ask(SearchRecords(find="versions", filter="version > 1", page_token=token))


def test_every_noun_answers_and_leads_to_every_other(office: Office) -> None:
    searchable = {each.find for each in office.ask(ListSearchable()).items if each.find}
    assert searchable == set(PLURALS)
    for find, noun in PLURALS.items():
        for field in noun.columns:
            assert isinstance(office.found(find, order_by=field), list)
        for other in NOUNS.values():
            assert other is noun or way(noun.word, other.word)
