"""The nouns that a search across rooms knows, what may be asked of each, and how one leads to another. Pure.

A noun is a view of `store/sql/schema/nouns.py`. A link says which columns of two nouns are equal. The way from the
noun that is searched to the one that a condition speaks of is the shortest chain of links, the first declared of two
that are as short.
"""

from functools import cache
from typing import Literal

from airside.core.record import Record
from airside.core.search import LISTED, NUMERIC, TEXTUAL, Field, Grammar

Kind = Literal["text", "number", "integer", "time"]


class Noun(Record):
    """Something to be searched.

    Attributes:
        word, plural: what people call it; the plural names a search, the word leads from another noun to it.
        lineage: its kind in the chain of records, for its page.
        view: its view; a `hidden` one only leads from noun to noun.
        columns: what may be asked of it.
        keyed: `metrics`, `params`, `tags`: the hidden noun that holds them, with `key` and `value`.
        id: the column that tells its records apart.
        newest: the column by which the newest come first; every record has it.
        held: words of it that are a column of another noun: the `alias` of a version is the name of an alias.
        is_vast: there may be millions, so that a search never gathers all that match but looks at each way in.
        found: of `metrics`, `params` and `tags`, the view that finds a vast noun's records by value.
    """

    word: str
    plural: str = ""
    lineage: str = ""
    view: str
    columns: dict[str, Kind] = {}
    keyed: dict[str, str] = {}
    id: str = "id"
    newest: str = "created"
    held: dict[str, tuple[str, str]] = {}
    is_vast: bool = False
    found: dict[str, str] = {}


class Link(Record):
    """Columns of one noun that equal columns of another."""

    left: str
    left_columns: tuple[str, ...]
    right: str
    right_columns: tuple[str, ...]


class Step(Record):
    """One link on the way: columns of where it comes from, the noun it goes to, and its columns."""

    columns: tuple[str, ...]
    to: str
    to_columns: tuple[str, ...]


def _columns(texts: str = "", *, times: str = "", integers: str = "", numbers: str = "") -> dict[str, Kind]:
    """Columns by kind, in the order that an answer shows them."""
    found: dict[str, Kind] = dict.fromkeys(texts.split(), "text")
    found |= dict.fromkeys(integers.split(), "integer")
    found |= dict.fromkeys(numbers.split(), "number")
    found |= dict.fromkeys(times.split(), "time")
    return found


_LISTED = (
    Noun(
        word="experiment",
        plural="experiments",
        lineage="experiment",
        view="noun_experiment",
        columns=_columns("id name stage", times="created"),
        keyed={"tags": "experiment_tag"},
    ),
    Noun(
        word="run",
        plural="runs",
        lineage="run",
        view="noun_run",
        columns=_columns("id name experiment status owner stage", times="started ended"),
        keyed={"metrics": "metric", "params": "param", "tags": "tag"},
        newest="no",
        is_vast=True,
        found={"metrics": "found_metric", "params": "found_param", "tags": "found_tag"},
    ),
    Noun(
        word="dataset",
        plural="datasets",
        lineage="dataset_version",
        view="noun_dataset",
        columns=_columns("id name digest owner created_by", integers="version rows_held size_bytes", times="created"),
        newest="id",
    ),
    Noun(
        word="logged_model",
        plural="logged-models",
        lineage="logged_model",
        view="noun_logged_model",
        columns=_columns("id name type status stage run_id", times="created"),
        keyed={"metrics": "logged_metric", "params": "logged_param", "tags": "logged_tag"},
    ),
    Noun(
        word="model",
        plural="models",
        lineage="registered_model",
        view="noun_model",
        columns=_columns("id name created_by", integers="newest", times="created updated"),
        keyed={"tags": "model_tag"},
        held={"alias": ("alias", "name")},
    ),
    Noun(
        word="version",
        plural="versions",
        lineage="model_version",
        view="noun_version",
        columns=_columns(
            "id name stage status run_id model_id source created_by", integers="version", times="created updated"
        ),
        keyed={"metrics": "metric", "params": "param", "tags": "version_tag"},
        held={"alias": ("alias", "name")},
    ),
    Noun(
        word="gate",
        plural="gates",
        lineage="gate",
        view="noun_gate",
        columns=_columns("id model outcome decided_by", integers="version", times="decided"),
        newest="decided",
    ),
    Noun(
        word="approval",
        plural="approvals",
        lineage="approval",
        view="noun_approval",
        columns=_columns("id subject state asked_by decided_by", times="asked decided"),
        newest="asked",
    ),
    Noun(
        word="card",
        plural="evidence",
        lineage="evidence",
        view="noun_card",
        columns=_columns("id subject kind status signed_by", times="created valid_until"),
    ),
    Noun(
        word="endpoint",
        plural="endpoints",
        lineage="endpoint",
        view="noun_endpoint",
        columns=_columns("name model state created_by", integers="version", times="created updated"),
    ),
    Noun(
        word="rollout",
        plural="rollouts",
        lineage="rollout",
        view="noun_rollout",
        columns=_columns(
            "id endpoint model state started_by", integers="from_version version weight", times="started ended"
        ),
        newest="started",
    ),
    Noun(
        word="prediction",
        plural="predictions",
        lineage="prediction",
        view="noun_prediction",
        columns=_columns(
            "id request_id endpoint model role delivery error",
            integers="version rows_answered labelled_rows right_rows",
            numbers="latency_ms",
            times="received",
        ),
        newest="id",
        is_vast=True,
    ),
    Noun(
        word="monitor",
        plural="monitors",
        lineage="monitor",
        view="noun_monitor",
        columns=_columns("name endpoint model state policy reference", times="created"),
    ),
    Noun(
        word="window",
        plural="windows",
        lineage="window",
        view="noun_window",
        columns=_columns(
            "id monitor endpoint model delivery state",
            integers="version rows_seen",
            numbers="worst",
            times="analysed",
        ),
        newest="analysed",
    ),
    Noun(
        word="alert",
        plural="alerts",
        lineage="alert",
        view="noun_alert",
        columns=_columns(
            "id monitor endpoint model kind severity state title",
            integers="version",
            numbers="weight",
            times="opened closed",
        ),
        newest="opened",
    ),
    Noun(
        word="pipeline_run",
        plural="pipeline-runs",
        lineage="pipeline_run",
        view="noun_pipeline_run",
        columns=_columns("id name state cause host", integers="version", times="created ended"),
    ),
    Noun(word="alias", view="noun_alias", columns=_columns("name")),
    *(
        Noun(word=word, view=f"noun_{word}", is_vast=True)
        for word in (
            *("metric", "param", "tag", "model_tag", "version_tag", "experiment_tag"),
            *("logged_metric", "logged_param", "logged_tag"),
        )
    ),
    *(Noun(word=word, view=f"noun_{word}") for word in ("input", "source")),
)
NOUNS: dict[str, Noun] = {noun.word: noun for noun in _LISTED}
PLURALS: dict[str, Noun] = {noun.plural: noun for noun in _LISTED if noun.plural}
"""What can be searched."""

_LINKS = tuple(
    Link(left=left, left_columns=tuple(ours.split()), right=right, right_columns=tuple(theirs.split()))
    for left, ours, right, theirs in (
        ("experiment", "no", "run", "experiment_no"),
        ("experiment", "no", "experiment_tag", "experiment_no"),
        ("run", "no", "metric", "run_no"),
        ("run", "no", "param", "run_no"),
        ("run", "no", "tag", "run_no"),
        ("run", "no", "input", "run_no"),
        ("input", "dataset_no", "source", "no"),
        ("source", "dataset_id", "dataset", "id"),
        ("run", "id", "version", "run_id"),
        ("run", "id", "logged_model", "run_id"),
        ("logged_model", "id", "version", "model_id"),
        ("logged_model", "id", "logged_metric", "model_id"),
        ("logged_model", "id", "logged_param", "model_id"),
        ("logged_model", "id", "logged_tag", "model_id"),
        ("version", "name", "model", "name"),
        ("model", "name", "model_tag", "model"),
        ("version", "name version", "version_tag", "model version"),
        ("version", "name version", "alias", "model version"),
        ("version", "name version", "gate", "model version"),
        ("version", "id", "approval", "subject"),
        ("version", "name version", "card", "model version"),
        ("version", "name version", "endpoint", "model version"),
        ("version", "name version", "rollout", "model version"),
        ("version", "name version", "prediction", "model version"),
        ("version", "name version", "window", "model version"),
        ("version", "name version", "alert", "model version"),
        ("model", "name", "monitor", "model"),
        ("model", "name", "endpoint", "model"),
        ("endpoint", "name", "monitor", "endpoint"),
        ("endpoint", "name", "rollout", "endpoint"),
        ("endpoint", "name", "prediction", "endpoint"),
        ("monitor", "name", "window", "monitor"),
        ("monitor", "name", "alert", "monitor"),
        ("pipeline_run", "tracking_run", "run", "id"),
    )
)


@cache
def way(start: str, end: str) -> tuple[Step, ...]:
    """The links from one noun to another, nearest first; none from a noun to itself.

    >>> [step.to for step in way("version", "dataset")]
    ['run', 'input', 'source', 'dataset']
    >>> [step.to for step in way("version", "metric")]
    ['run', 'metric']
    """
    reached: dict[str, tuple[Step, ...]] = {start: ()}
    queue = [start]
    for word in queue:
        for step in _steps(word):
            if step.to not in reached:
                reached[step.to] = (*reached[word], step)
                queue.append(step.to)
    return reached[end]


def _steps(word: str) -> list[Step]:
    there = [Step(columns=x.left_columns, to=x.right, to_columns=x.right_columns) for x in _LINKS if x.left == word]
    back = [Step(columns=x.right_columns, to=x.left, to_columns=x.left_columns) for x in _LINKS if x.right == word]
    return there + back


@cache
def grammar_of(word: str) -> Grammar:
    """What a search of one noun understands: its own words bare or after `attributes.`, others' after their noun.

    >>> from airside.core.search import parse_filter
    >>> parse_filter("run.metrics.auc > 0.8 AND stage = 'Production'", grammar_of("version"))[0].entity
    'run.metrics'
    """
    noun = NOUNS[word]
    entities = {"attribute": "attribute", "attributes": "attribute"}
    fields: dict[str, Field | dict[str, Field]] = {"attribute": _fields(noun)}
    for name in noun.keyed:
        entities |= {name: name, name.removesuffix("s"): name}
        fields[name] = _keyed(name)
    for other in _LISTED:
        if not other.columns:
            continue
        entities[other.word] = other.word if other.word != word else "attribute"
        fields.setdefault(other.word, _fields(other))
        for name in other.keyed:
            entities[f"{other.word}.{name}"] = f"{other.word}.{name}" if other.word != word else name
            fields[f"{other.word}.{name}"] = _keyed(name)
    return Grammar(
        entities=entities,
        fields=fields,
        orderable=tuple(noun.columns),
        ordered=tuple(noun.keyed),
        no_null="IS NULL and IS NOT NULL are asked of metrics, params and tags, not of '{key}'",
    )


def fields_of(noun: Noun) -> dict[str, Kind]:
    """What may be asked of a noun by a bare word.

    >>> fields_of(NOUNS["version"])["alias"]
    'text'
    """
    return noun.columns | {name: NOUNS[word].columns[column] for name, (word, column) in noun.held.items()}


def _fields(noun: Noun) -> dict[str, Field]:
    return {name: _FIELDS[kind] for name, kind in fields_of(noun).items()}


def _keyed(name: str) -> Field:
    return _METRIC if name == "metrics" else _TEXT


_FIELDS = {
    "text": Field(operators=LISTED),
    "integer": Field(kind="integer", operators=NUMERIC),
    "number": Field(kind="number", operators=NUMERIC),
    "time": Field(operators=NUMERIC),
}
_METRIC = Field(kind="number", operators=(*NUMERIC, "IS NULL", "IS NOT NULL"))
_TEXT = Field(operators=(*TEXTUAL, "IS NULL", "IS NOT NULL"))
