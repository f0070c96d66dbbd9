"""What the searches of runs and of experiments understand (wire contract, sections 6.2 and 6.3)."""

from airside.core.search import LISTED, NULLABLE, NUMERIC, TEXTUAL, Field, Grammar

_WORDS = {
    "metric": ("metrics",),
    "parameter": ("parameters", "param", "params"),
    "tag": ("tags",),
    "attribute": ("attributes", "attr", "run"),
    "dataset": ("datasets",),
}
_LISTED_ONLY = Field(operators=LISTED)
_NUMBER = Field(kind="number", operators=NUMERIC)

RUNS = Grammar(
    entities={word: entity for entity, words in _WORDS.items() for word in (entity, *words)},
    fields={
        "metric": _NUMBER,
        "parameter": Field(operators=NULLABLE),
        "tag": Field(operators=NULLABLE),
        "attribute": {
            "run_id": _LISTED_ONLY,
            "run_name": Field(),
            "status": Field(),
            "user_id": Field(),
            "artifact_uri": Field(),
            "start_time": _NUMBER,
            "end_time": _NUMBER,
        },
        "dataset": {"name": _LISTED_ONLY, "digest": _LISTED_ONLY, "context": _LISTED_ONLY},
    },
    aliases={
        "created": "start_time",
        "Created": "start_time",
        "run name": "run_name",
        "Run name": "run_name",
        "Run Name": "run_name",
    },
    orderable=(
        "status",
        "artifact_uri",
        "user_id",
        "run_id",
        "run_name",
        "start_time",
        "end_time",
        "created",
        "Created",
    ),
    ordered=("metric", "parameter", "tag"),
)

_MOMENT = Field(kind="integer", operators=NUMERIC)

EXPERIMENTS = Grammar(
    entities={"attribute": "attribute", "attributes": "attribute", "tag": "tag", "tags": "tag"},
    fields={
        "tag": Field(operators=NULLABLE),
        "attribute": {
            "name": Field(operators=TEXTUAL),
            "experiment_id": Field(operators=("=", "!=", "IN", "NOT IN")),
            "creation_time": _MOMENT,
            "last_update_time": _MOMENT,
        },
    },
    orderable=("name", "experiment_id", "creation_time", "last_update_time"),
    quotes_clauses=False,
)
