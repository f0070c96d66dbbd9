"""Traces, evaluation datasets, scorers and webhooks come over whole; what does not come is told, table by table."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.client.imports.near import NAMES, bring, client_of, make_database

from airside.client.imports.mlflow.accounts import LEFT, MADE_ANEW, TAKEN
from airside.client.imports.opening import open_store
from airside.client.transport import Client
from airside.core.errors import Conflict
from airside.platform.notify import queries as webhook_queries
from airside.platform.notify import secrets
from airside.platform.notify.operations import GetWebhook, ListWebhooks, UpdateWebhook
from airside.platform.wiring import Platform
from airside.tracking.evaluation.operations.datasets import SearchEvaluationDatasets
from airside.tracking.evaluation.operations.records import ListEvaluationRecords
from airside.tracking.evaluation.operations.scorers import ListScorerVersions
from airside.tracking.imports.records import Import, NotTaken
from airside.tracking.traces.operations.assessments import CreateAssessment
from airside.tracking.traces.operations.labels import SetTraceTag
from airside.tracking.traces.operations.reading import GetTrace, GetTraceInfo, SearchTraces
from airside.tracking.traces.operations.writing import LogSpans
from airside.tracking.traces.records import Assessment, NewAssessment, Span, TraceInfo

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
VARIABLE = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"


@pytest.fixture
def client(platform: Platform) -> Client:
    return client_of(platform)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    return make_database(tmp_path / "old", "mlflow-3.17")


def changed(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)
    return path


def found(client: Client, text: str = "") -> tuple[TraceInfo, ...]:
    return client.call(SearchTraces(experiment_ids=("1",), filter=text)).items


def left(done: Import) -> dict[str, int]:
    return {each.table: each.rows for each in done.report.not_taken}


def test_a_trace_is_here_with_its_spans_tags_links_and_what_was_thought_of_it(client: Client, store: Path) -> None:
    bring(client, store)

    (info,) = found(client, "tags.nr = '1'")
    trace = client.call(GetTrace(trace_id=info.trace_id))
    assert (info.state, info.request_preview, info.tags["mlflow.traceName"]) == ("OK", "hëllo 1", "answer 1")
    assert info.metadata["mlflow.trace.tokenUsage"] == '{"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}'
    assert info.tags["mlflow.artifactLocation"] == f"mlflow-artifacts:/1/traces/{info.trace_id}/artifacts"
    root, retrieve, model = trace.spans
    assert (root.name, root.parent_id, retrieve.parent_id) == ("answer 1", "", root.span_id)
    assert retrieve.attributes["deep"] == {"a": [1, None]}
    assert (model.events[0].name, model.events[0].attributes) == ("looked", {"at": "x"})
    assert found(client, "span.name = 'model' AND tags.nr = '1'") == (info,)
    assert len(found(client, "status = 'ERROR'")) == 1
    thoughts = {each.name: each for each in info.assessments}
    assert thoughts["answer"].value == {"facts": ["a", "b"]}
    assert thoughts["broken"].error is not None
    assert (thoughts["broken"].error.error_code, thoughts["broken"].error.stack_trace) == ("LIMIT", "a stack")


def test_what_was_overridden_is_out_of_force_here_too(client: Client, store: Path) -> None:
    bring(client, store)

    (info,) = found(client, "feedback.relevant = 'false'")
    by_value: dict[Any, Assessment] = {each.value: each for each in info.assessments if each.name == "relevant"}
    assert (by_value[True].is_valid, by_value[False].is_valid) == (False, True)
    assert by_value[False].overrides == by_value[True].assessment_id
    assert (by_value[True].rationale, by_value[True].metadata) == ("because", {"a": "b"})


def test_a_trace_that_changed_here_is_refused_or_left(client: Client, store: Path) -> None:
    bring(client, store)
    (info,) = found(client, "tags.nr = '1'")
    client.call(SetTraceTag(trace_id=info.trace_id, key="nr", value="9"))
    client.call(CreateAssessment(trace_id=info.trace_id, assessment=NewAssessment(name="mine", kind="feedback")))

    with pytest.raises(Conflict, match=r"1 traces of the source are here already with other content"):
        bring(client, store)
    done = bring(client, store, skip_existing=True)

    assert client.call(GetTraceInfo(trace_id=info.trace_id)).tags["nr"] == "9"
    assert {count.kind: count.skipped for count in done.report.counts}["traces"] == 1


def test_a_span_that_is_another_here_stays_and_is_told(client: Client, store: Path) -> None:
    bring(client, store)
    (info,) = found(client, "tags.nr = '1'")
    span = client.call(GetTrace(trace_id=info.trace_id)).spans[1]
    client.call(LogSpans(experiment_id="1", spans=(msgspec.structs.replace(span, name="other"),)))

    done = bring(client, store)

    assert done.report.differences == (f"trace {info.trace_id}: the span {span.span_id} is not that of the source",)
    assert client.call(GetTrace(trace_id=info.trace_id)).spans[1].name == "other"


def test_evaluation_datasets_come_with_their_records(client: Client, store: Path) -> None:
    bring(client, store)

    datasets = client.call(SearchEvaluationDatasets(experiment_ids=("1",))).items
    asked = next(each for each in datasets if each.name == "asked 0")
    records = client.call(ListEvaluationRecords(dataset_id=asked.dataset_id)).items
    assert sorted(each.name for each in datasets) == ["asked 0", "asked 1", "empty"]
    assert (asked.n_records, asked.created_by, {tag.key: tag.value for tag in asked.tags}["t"]) == (3, "ana", "1")
    assert asked.fields is not None
    assert asked.fields["inputs"] == {"q": "string", "deep": "object"}
    by_question = {each.inputs["q"]: each for each in records}
    assert by_question["what 0?"].tags["hard"] == "yes"
    assert by_question["what 1?"].outputs == "plain"
    assert by_question["what 2?"].expectations == {"answer": "é"}


def test_scorers_come_with_their_versions_but_not_with_code(client: Client, store: Path) -> None:
    done = bring(
        client, changed(store, """UPDATE scorer_versions SET serialized_scorer = '{"call_source": "x"}'
            WHERE scorer_id = (SELECT scorer_id FROM scorers WHERE scorer_name = 'kind')""")
    )  # fmt: skip

    versions = client.call(ListScorerVersions(experiment_id="1", name="right")).items
    assert [each.version for each in versions] == [1, 2]
    assert done.report.n_differences == 0
    assert (
        NotTaken(table="scorer_versions", rows=1, why="they hold code, or are no JSON: kind@1") in done.report.not_taken
    )


def test_webhooks_come_disabled_without_the_key_of_their_secrets(client: Client, store: Path) -> None:
    done = bring(client, store)

    hooks = {each.name: each for each in client.call(ListWebhooks()).items}
    assert (hooks["ci"].status, hooks["ci"].has_secret, hooks["ci"].description) == ("DISABLED", False, "tells all")
    assert hooks["ci"].events == ("model_version.created", "registered_model.created")
    assert (hooks["open"].status, hooks["open"].events) == ("DISABLED", ("model_version_alias.created",))
    (note,) = [note for note in done.report.notes if "without their secrets" in note]
    assert f"ci. Their secrets are encrypted; the old server's key is not given in ${VARIABLE}." in note
    assert left(done)["webhooks"] == 1


def test_webhooks_come_with_their_secrets_where_the_key_is_given(
    client: Client, platform: Platform, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)

    done = bring(client, store)

    hook = next(each for each in client.call(ListWebhooks()).items if each.name == "ci")
    assert (hook.status, hook.has_secret, done.report.n_differences) == ("ACTIVE", True, 0)
    sealed = platform.read(lambda ctx: webhook_queries.secret_of(ctx.tx, hook.id))
    assert secrets.opened(platform, sealed, hook.url) == "hush"
    assert "hush" not in repr(done)


def test_an_import_with_the_key_completes_what_came_without(
    client: Client, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(client, store)
    monkeypatch.setenv(VARIABLE, KEY)

    done = bring(client, store)

    hooks = {each.name: each for each in client.call(ListWebhooks()).items}
    assert (hooks["ci"].status, hooks["ci"].has_secret, hooks["open"].status) == ("ACTIVE", True, "DISABLED")
    assert done.report.n_differences == 0
    assert bring(client, store).report.n_differences == 0


def test_a_webhook_that_was_changed_here_is_not_completed(
    client: Client, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(client, store)
    (hook,) = [each for each in client.call(ListWebhooks()).items if each.name == "ci"]
    client.call(UpdateWebhook(id=hook.id, description="mine"))
    monkeypatch.setenv(VARIABLE, KEY)

    with pytest.raises(Conflict, match="1 webhooks of the source are here already with other content"):
        bring(client, store)

    assert client.call(GetWebhook(id=hook.id)).has_secret is False


def test_another_key_opens_nothing(client: Client, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, base64.urlsafe_b64encode(b"z" * 32).decode())

    done = bring(client, store)

    assert any("is not the key" in note for note in done.report.notes)
    assert not any(each.has_secret for each in client.call(ListWebhooks()).items)


@pytest.mark.parametrize("name", NAMES)
def test_every_table_of_a_release_has_its_account(tmp_path: Path, name: str) -> None:
    with open_store(str(make_database(tmp_path / "old", name))) as store:
        assert store.tables.names - TAKEN.keys() - MADE_ANEW - LEFT.keys() == frozenset()


def test_what_is_left_is_told_with_its_number_and_reason(client: Client, store: Path) -> None:
    changed(
        store,
        "INSERT INTO issues (issue_id, experiment_id, name, description, status) VALUES ('i', 1, 'n', 'd', 'open')",
        "INSERT INTO metrics VALUES ('lost', 1.0, 1, 'nobody', 0, 0)",
        "CREATE TABLE brand_new (x)",
        "INSERT INTO brand_new VALUES (1), (2)",
        "UPDATE trace_tags SET value = 'ARCHIVE_REPO' WHERE value = 'TRACKING_STORE' AND request_id = "
        "(SELECT MIN(request_id) FROM trace_info)",
    )

    done = bring(client, store)

    assert left(done) == {
        "metrics": 1,
        "model_versions": 1,
        "webhooks": 1,
        "trace_tags": 1,
        "brand_new": 2,
        "issues": 1,
    }
    assert done.report.n_differences == 0


def test_traces_without_spans_of_release_2_keep_their_files(client: Client, platform: Platform, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-2.22")
    with closing(sqlite3.connect(path)) as db:
        places = dict(
            db.execute("SELECT request_id, value FROM trace_tags WHERE key = 'mlflow.artifactLocation'").fetchall()
        )
    for trace_id, place in places.items():
        Path(place).mkdir(parents=True)
        Path(place, "traces.json").write_text(trace_id)

    bring(client, path)

    for trace_id in places:
        uri = client.call(GetTraceInfo(trace_id=trace_id)).tags["mlflow.artifactLocation"]
        with platform.artifacts.open(f"{uri.removeprefix('mlflow-artifacts:/')}/traces.json") as file:
            assert b"".join(file.pieces()).decode() == trace_id


def test_spans_in_the_forms_of_older_releases_are_read(client: Client, store: Path) -> None:
    changed(
        store,
        """UPDATE spans SET content = '{"status": {"code": "OK"}, "attributes": {"plain": "no json", "n": 2}}'
           WHERE name = 'retrieve'""",
        "UPDATE spans SET content = '' WHERE name = 'model'",
    )

    bring(client, store)

    spans: list[Span] = []
    for info in found(client):
        spans += client.call(GetTrace(trace_id=info.trace_id)).spans
    assert all(span.attributes["plain"] == "no json" for span in spans if span.name == "retrieve")
    assert len(spans) == 12
