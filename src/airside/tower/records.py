"""The nouns of the room: catalog row, lineage, what a search finds."""

from datetime import datetime
from typing import Literal

from airside.core.estimate import Estimate
from airside.core.ids import ModelName
from airside.core.record import Record

State = Literal["ok", "warn", "bad", "info", "idle"]


class Reason(Record):
    """Why a light has its colour: words with the number, and where to look."""

    state: State
    text: str
    link: str


class DriftSummary(Record):
    """The worst column of the newest window.

    Attributes:
        value, threshold: effect and the smallest effect that counts.
        is_flagged: whether the rule flags it.
    """

    column: str
    value: float
    threshold: float
    is_flagged: bool
    window_id: str


class CatalogRow(Record):
    """One registered model at a glance.

    Attributes:
        state: the worst of the signs; `reasons` are the two top ones, `more_reasons` counts the rest.
        spark: at most 30 points, oldest first; what they are stands in `spark_of` (`accuracy`, `drift`, or empty).
        predictions_24h, errors_24h: None when nothing serves the model.
        p95_ms: of the newest minute with traffic; None without.
        score: the ML Test Score; None when never computed.
    """

    name: ModelName
    project: str = ""
    owner: str = ""
    description: str = ""
    state: State
    word: str
    reasons: tuple[Reason, ...]
    more_reasons: int = 0
    champion: int = 0
    newest: int = 0
    endpoints: tuple[str, ...] = ()
    rollout_id: str = ""
    rollout_state: str = ""
    metric: str = ""
    quality: Estimate | None = None
    quality_basis: str = ""
    spark: tuple[float, ...] = ()
    spark_of: str = ""
    spark_reference: float | None = None
    drift: DriftSummary | None = None
    predictions_24h: int | None = None
    errors_24h: int | None = None
    p95_ms: float | None = None
    open_alerts: int = 0
    score: float | None = None
    refreshed_at: datetime


class CatalogPage(Record):
    """Some rows of the catalog, what needs action first."""

    items: tuple[CatalogRow, ...]
    next_page_token: str = ""


class CatalogSummary(Record):
    """The catalog in figures."""

    models: int
    ok: int
    warn: int
    bad: int
    info: int
    idle: int
    open_alerts: int
    predictions_24h: int
    errors_24h: int
    median_score: float | None


class LineageNode(Record):
    """A record in the chain."""

    kind: str
    id: str
    hops: int


class LineageEdge(Record):
    """An arrow of the chain, from what came first to what came of it."""

    from_kind: str
    from_id: str
    relation: str
    to_kind: str
    to_id: str


class Neighbourhood(Record):
    """What is near a record in the chain. `is_complete` is false when the limit cut something off."""

    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    is_complete: bool


class Found(Record):
    """Something that a search found."""

    kind: str
    id: str
    name: str
    link: str


class FoundPage(Record):
    """What a search found, best first."""

    items: tuple[Found, ...]


class Match(Record):
    """A record that a search across rooms found.

    Attributes:
        kind, id: as the chain of records names it.
        values: its own fields, then the metrics, parameters and tags that the search named (`metrics.auc`). Times in
            ISO 8601; None where it has none.
    """

    kind: str
    id: str
    link: str
    values: dict[str, str | int | float | None]


class MatchPage(Record):
    """Some of what a search found."""

    items: tuple[Match, ...]
    next_page_token: str = ""


class Searchable(Record):
    """A noun that can be searched, or be followed to.

    Attributes:
        find: what a search of it is called; empty where it can only be followed to.
        word: what leads to it from another noun: `endpoint` in `endpoint.state = 'serving'`.
        fields: what may be asked of it, and what kind of value each is.
        keyed: which of `metrics`, `params` and `tags` it has.
    """

    find: str
    word: str
    fields: dict[str, Literal["text", "number", "integer", "time"]]
    keyed: tuple[str, ...]


class Searchables(Record):
    """All nouns that can be searched."""

    items: tuple[Searchable, ...]
