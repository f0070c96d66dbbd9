"""Evaluation datasets and scorers, by hand."""

import json

from tests.web.moment import ms

from airside.core.ids import ExperimentId
from airside.tracking.evaluation.records import EvaluationDataset, EvaluationRecord, RecordSource, ScorerVersion
from airside.tracking.records import Tag


def evaluation_dataset(text: str) -> EvaluationDataset:
    return EvaluationDataset(
        dataset_id="d-1",
        name=text,
        digest="4f2a9c1b",
        created_ms=ms(days=2),
        updated_ms=ms(hours=1),
        created_by=text,
        n_records=3,
        tags=(Tag(key="team", value=text), Tag(key="mlflow.user", value=text)),
        experiment_ids=(ExperimentId("1"),),
    )


def evaluation_records(text: str) -> list[EvaluationRecord]:
    sources = (
        None,
        RecordSource(source_type="TRACE", source_data={"trace_id": "tr-1"}),
        RecordSource(source_type="HUMAN"),
    )
    return [
        EvaluationRecord(
            record_id=f"dr-{n}",
            dataset_id="d-1",
            inputs={"question": text, "context": {text: [n]}},
            outputs=None if n == 0 else text * 40,
            expectations={"answer": text} if n else None,
            source=source,
            created_ms=ms(days=1),
            updated_ms=ms(hours=2),
        )
        for n, source in enumerate(sources)
    ]


def scorer_version(text: str, number: int) -> ScorerVersion:
    told = {"name": text, "model": None, "instructions_judge_pydantic_data": {"instructions": text, "model": "m:/x"}}
    serialized = json.dumps(told) if number > 1 else text
    return ScorerVersion(
        scorer_id="sc-1",
        experiment_id=ExperimentId("1"),
        name="kind",
        version=number,
        serialized=serialized,
        created_ms=ms(days=number),
    )
