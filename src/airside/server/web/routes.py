"""The pages as a table, and the one function that the edge calls for them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl, unquote

from airside.core.errors import AirsideError, Invalid, NotFound
from airside.core.operation import LOCAL, Actor
from airside.core.record import Record
from airside.platform.access.rights import authorise
from airside.server.web.page import Call, Page, PageQuery, Theme, Twin, View
from airside.server.web.pages import (
    alerts,
    approvals,
    catalog,
    compare,
    datasets,
    endpoints,
    evaluation,
    experiments,
    finding,
    lineage,
    logged_models,
    models,
    monitors,
    pipelines,
    prompts,
    registering,
    rollouts,
    runs,
    search,
    suggestions,
    traces,
    versions,
    webhooks,
)
from airside.server.web.templating import render, render_error

Method = Literal["GET", "POST"]
TWINS: tuple[Twin, ...] = ("json", "csv")
MAX_FIELDS = 300
"""Of an address, and of a form."""
PageFunction = Callable[[Call, PageQuery], View]


class PageRoute(Record):
    """A way to a page.

    Attributes:
        path: `{name}` stands for one segment, decoded after the path was cut.
        needs: the right that it asks for; its operations ask for their own besides.
    """

    method: Method
    path: str
    function: PageFunction
    needs: str


_ROUTES: tuple[tuple[Method, str, PageFunction, str], ...] = (
    ("GET", "/", catalog.catalog, "catalog:read"),
    ("GET", "/models", catalog.models, "catalog:read"),
    ("GET", "/models/{name}", models.model, "model:read"),
    ("POST", "/models", registering.create, "model:write"),
    ("POST", "/models/{name}", registering.change_model, "model:promote"),
    ("POST", "/models/{name}/versions/{version}", registering.change_version, "model:promote"),
    ("GET", "/models/{name}/versions/{version}", versions.version, "model:read"),
    ("GET", "/gates/{gate}", versions.gate, "model:read"),
    ("GET", "/experiments", experiments.experiments, "experiment:read"),
    ("POST", "/experiments", experiments.create, "experiment:write"),
    ("GET", "/experiments/{experiment}", experiments.one_experiment, "experiment:read"),
    ("POST", "/experiments/{experiment}", experiments.change, "experiment:write"),
    ("GET", "/experiments/{experiment}/about", experiments.about, "experiment:read"),
    ("GET", "/experiments/{experiment}/runs", experiments.runs, "run:read"),
    ("POST", "/experiments/{experiment}/runs", experiments.change_runs, "run:write"),
    ("GET", "/experiments/{experiment}/columns", experiments.choose_columns, "run:read"),
    ("GET", "/experiments/{experiment}/suggestions", suggestions.suggestions, "run:read"),
    ("GET", "/runs/{run}", runs.run, "run:read"),
    ("POST", "/runs/{run}", runs.change, "run:write"),
    ("GET", "/runs/{run}/curve", runs.closer, "run:read"),
    ("GET", "/logged-models/{model}", logged_models.logged_model, "run:read"),
    ("GET", "/compare", compare.compare, "run:read"),
    ("GET", "/compare/curve", compare.closer, "run:read"),
    ("GET", "/experiments/{experiment}/traces", traces.traces, "trace:read"),
    ("GET", "/experiments/{experiment}/evaluation-datasets", evaluation.datasets, "evaluation:read"),
    ("POST", "/experiments/{experiment}/evaluation-datasets", evaluation.create, "evaluation:write"),
    ("GET", "/evaluation-datasets/{dataset}", evaluation.dataset, "evaluation:read"),
    ("POST", "/evaluation-datasets/{dataset}", evaluation.change, "evaluation:write"),
    ("GET", "/experiments/{experiment}/scorers", evaluation.scorers, "evaluation:read"),
    ("GET", "/experiments/{experiment}/scorers/{scorer}", evaluation.scorer, "evaluation:read"),
    ("POST", "/experiments/{experiment}/scorers/{scorer}", evaluation.change_scorer, "evaluation:write"),
    ("GET", "/traces/{trace}", traces.trace, "trace:read"),
    ("POST", "/traces/{trace}", traces.assess, "trace:write"),
    ("GET", "/prompts", prompts.prompts, "model:read"),
    ("GET", "/prompts/{name}", prompts.prompt, "model:read"),
    ("GET", "/webhooks", webhooks.webhooks, "webhook:list"),
    ("POST", "/webhooks", webhooks.create, "webhook:create"),
    ("GET", "/webhooks/{webhook}", webhooks.webhook, "webhook:list"),
    ("POST", "/webhooks/{webhook}", webhooks.act, "webhook:create"),
    ("GET", "/datasets", datasets.datasets, "dataset:read"),
    ("GET", "/datasets/{name}", datasets.dataset, "dataset:read"),
    ("GET", "/datasets/{name}/versions/{version}", datasets.dataset_version, "dataset:read"),
    ("GET", "/dataset-versions/{id}", datasets.by_id, "dataset:read"),
    ("GET", "/pipelines", pipelines.pipelines, "pipeline:read"),
    ("GET", "/pipelines/{name}", pipelines.pipeline, "pipeline:read"),
    ("GET", "/pipeline-runs/{run}", pipelines.pipeline_run, "pipeline_run:read"),
    ("GET", "/pipeline-runs/{run}/steps/{step}", pipelines.step, "pipeline_run:read"),
    ("GET", "/endpoints", endpoints.endpoints, "endpoint:read"),
    ("GET", "/endpoints/{name}", endpoints.endpoint, "endpoint:read"),
    ("GET", "/endpoints/{name}/rollouts/{rollout}", rollouts.rollout, "rollout:read"),
    ("GET", "/rollouts/{rollout}", rollouts.rollout, "rollout:read"),
    ("GET", "/approvals", approvals.approvals, "approval:read"),
    ("POST", "/approvals/{id}", approvals.act, "approval:decide"),
    ("GET", "/monitors", monitors.monitors, "monitor:read"),
    ("GET", "/monitors/{name}", monitors.monitor, "monitor:read"),
    ("GET", "/windows/{window}", monitors.window, "monitor:read"),
    ("GET", "/alerts", alerts.alerts, "alert:read"),
    ("GET", "/alerts/{alert}", alerts.alert, "alert:read"),
    ("POST", "/alerts/{alert}", alerts.act, "alert:write"),
    ("GET", "/lineage", lineage.lineage, "lineage:read"),
    ("GET", "/search", search.search, "catalog:read"),
    ("GET", "/find/{noun}", finding.finding, "catalog:read"),
)
PAGE_ROUTES: tuple[PageRoute, ...] = tuple(
    PageRoute(method=method, path=path, function=function, needs=needs) for method, path, function, needs in _ROUTES
)
"""Every page. `/x.json` and `/x.csv` are the twins of `/x`; posts have none."""


class Match(Record):
    """A route and what stands in its places."""

    route: PageRoute
    names: dict[str, str]
    twin: Twin
    path: str


class WebRequest(Record):
    """What the edge knows of a request for a page.

    Attributes:
        raw_path: percent-encoded, as it came, without the query string.
        headers: names in lower case.
        origin: this server's address as the reader sees it.
    """

    method: str
    raw_path: str
    now: datetime
    query_string: str = ""
    headers: dict[str, str] = {}
    form: tuple[tuple[str, str], ...] = ()
    actor: Actor = LOCAL
    csrf: str = ""
    origin: str = "http://127.0.0.1:5000"
    open_to_all: bool = False
    request_id: str = ""


def _table() -> dict[tuple[str, int], list[tuple[tuple[str, ...], PageRoute]]]:
    table: dict[tuple[str, int], list[tuple[tuple[str, ...], PageRoute]]] = {}
    for route in PAGE_ROUTES:
        parts = tuple(route.path.strip("/").split("/"))
        table.setdefault((route.method, len(parts)), []).append((parts, route))
    return table


_TABLE = _table()


def find(method: str, raw_path: str) -> Match | None:
    """The page at a path, or None. The path is cut before it is decoded, so a name may hold a slash.

    >>> match = find("GET", "/models/a%2Fb/versions/3.json")
    >>> match.names, match.twin, match.path
    ({'name': 'a/b', 'version': '3'}, 'json', '/models/a%2Fb/versions/3')
    """
    path, twin = _twin(raw_path)
    if twin != "html" and method != "GET":
        return None
    given = tuple(path.strip("/").split("/"))
    for parts, route in _TABLE.get((method, len(given)), ()):
        if all(part.startswith("{") or part == have for part, have in zip(parts, given, strict=True)):
            names = {part[1:-1]: unquote(have) for part, have in zip(parts, given, strict=True) if part.startswith("{")}
            if all(names.values()):
                return Match(route=route, names=names, twin=twin, path=path)
    return None


def _twin(raw_path: str) -> tuple[str, Twin]:
    for twin in TWINS:
        if raw_path.endswith(f".{twin}") and not raw_path.endswith(f"/.{twin}"):
            return raw_path.removesuffix(f".{twin}"), twin
    return raw_path, "html"


def query_of(request: WebRequest, match: Match | None) -> PageQuery:
    """The record that a page function gets.

    Raises:
        Invalid: the address has too many fields.
    """
    headers = request.headers
    try:
        pairs = parse_qsl(request.query_string, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Invalid(f"The address has more than {MAX_FIELDS} fields. Leave some out.") from None
    fragment = headers.get("hx-target", "") if headers.get("hx-request") == "true" else ""
    return PageQuery(
        path=match.path if match else request.raw_path,
        names=match.names if match else {},
        arguments=dict(pairs),
        several=_several(pairs),
        form=dict(request.form),
        form_several=_several(request.form),
        twin=match.twin if match else "html",
        fragment=unquote(fragment.partition("#")[2]),
        theme=theme_of(headers),
        actor=request.actor.name,
        csrf=request.csrf,
        origin=request.origin,
        open_to_all=request.open_to_all,
        now=request.now,
        request_id=request.request_id,
    )


def _several(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    several: dict[str, tuple[str, ...]] = {}
    for key, value in pairs:
        several[key] = (*several.get(key, ()), value)
    return several


def theme_of(headers: Mapping[str, str]) -> Theme:
    """The reader's choice, from the cookie.

    >>> theme_of({"cookie": "a=b; airside-theme=dark"}), theme_of({})
    ('dark', '')
    """
    for pair in headers.get("cookie", "").split(";"):
        key, _, value = pair.strip().partition("=")
        if key == "airside-theme" and value in {"light", "dark"}:
            return "dark" if value == "dark" else "light"
    return ""


def respond(call: Call, request: WebRequest) -> Page:
    """Answer a request for a page. Blocking: the edge runs it on a worker thread.

    Args:
        call: `Platform.call`, bound to the actor.
        request: what was asked; Host, Origin and CSRF were checked by the edge.
    """
    match = find(request.method, request.raw_path)
    query = query_of(request, match)
    if match is None:
        return render_error(NotFound("There is no page at this address. The side-bar lists all there are."), query)
    try:
        authorise(request.actor, *match.route.needs.split(":"))
        return render(match.route.function(call, query), query)
    except AirsideError as error:
        return render_error(error, query)
