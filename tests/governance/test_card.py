"""The model card: what is known is told with its source, what is not is said to be missing."""

import pytest
from tests.monitoring.making import figure, finding, flagged
from tests.monitoring.serving import MODEL, record, world

from airside.core.errors import NotFound
from airside.core.ids import ExperimentId, ModelName
from airside.core.operation import LOCAL
from airside.governance.card import literal
from airside.governance.operations.cards import GetCard
from airside.governance.records import CardField, ModelCard
from airside.platform.wiring import Platform
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun
from airside.tracking.records import LoggedMetric, Param


def fields(card: ModelCard) -> dict[str, CardField]:
    return {one.name: one for section in card.sections for one in section.fields}


def test_a_bare_version_has_a_card_that_says_what_is_missing(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name=MODEL))
    platform.call(LOCAL, CreateVersion(name=MODEL, source="s3://bucket/model"))

    card = platform.call(LOCAL, GetCard(name=MODEL))
    known = fields(card)

    assert known["Version"].text == "1"
    for name in ("Intended use", "Run", "Training data", "Gate", "Fairness", "Serves", "Monitors", "Open alerts"):
        assert (known[name].is_missing, known[name].text) == (True, ""), name
    assert "- **Gate**: *missing*" in card.markdown
    assert 0 < card.filled < 0.5


def test_what_the_rooms_know_stands_in_the_card_with_its_source(platform: Platform) -> None:
    run = platform.call(LOCAL, CreateRun(experiment_id=ExperimentId("0"), name="r", start_time_ms=1))
    metric = LoggedMetric(key="accuracy", value=0.79, timestamp_ms=1)
    platform.call(LOCAL, LogBatch(run_id=run.info.run_id, metrics=(metric,), params=(Param(key="depth", value="3"),)))
    platform.call(LOCAL, CreateModel(name=MODEL, tags={"airside.owner": "M. Laine", "card.licence": "Apache-2.0"}))
    platform.call(
        LOCAL,
        CreateVersion(
            name=MODEL,
            source="s3://bucket/model",
            run_id=run.info.run_id,
            tags={"card.intended_use": "Who is employed?"},
        ),
    )

    known = fields(platform.call(LOCAL, GetCard(name=MODEL, version=1)))

    assert known["Metrics"].text == "accuracy = 0.79"
    assert known["Parameters"].text == "depth = 3"
    assert known["Metrics"].source == f"run {run.info.run_id}"
    assert (known["Owner"].text, known["Licence"].text) == ("M. Laine", "Apache-2.0")
    assert known["Intended use"].text == "Who is employed?"


def test_drift_quality_and_open_alerts_stand_in_the_card_and_warn_on_top(platform: Platform) -> None:
    world(platform)
    figures = (figure("accuracy", "estimated", 0.787),)
    record(platform, "a", flagged(), figures=figures)
    record(platform, "b", flagged(), finding("SEX"), figures=figures)

    card = platform.call(LOCAL, GetCard(name=MODEL))
    known = fields(card)

    assert known["Drift since training"].text == "ANC"
    assert known["Quality, estimated"].text == "accuracy 0.787 [0.777, 0.797], n = 1,000"
    assert known["Quality, realised"].is_missing
    assert card.warnings[0] == "Open alert (warning): ANC drifts"
    assert "**Doubtful now:**" in card.markdown
    assert known["Serves"].text == "`employment` (serving)"


def test_a_strangers_text_cannot_become_markdown_of_ours(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name=MODEL))
    hostile = "# Owned\n\n<script>alert(1)</script> ![x](http://evil) | `rm`"
    platform.call(LOCAL, CreateVersion(name=MODEL, source="s3://bucket/model", description=hostile))

    markdown = platform.call(LOCAL, GetCard(name=MODEL)).markdown

    assert "\n# Owned" not in markdown
    assert "<script" not in markdown.replace("\\<script", "")
    assert "![" not in markdown.replace("\\!\\[", "")


def test_texts_are_flattened_and_escaped() -> None:
    assert literal("a\nb  *c*") == "a b \\*c\\*"


def test_a_model_without_versions_has_no_card(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name=MODEL))
    for name in (MODEL, ModelName("none")):
        with pytest.raises(NotFound):
            platform.call(LOCAL, GetCard(name=name))
