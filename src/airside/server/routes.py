"""Every address that the server answers, in two tables: what programs ask, and the pages of the Control Tower.

The pages stand in a module of their own (`server.web.edge`) that is imported when the first of them is asked for: with
the template language and the markdown reader it is a quarter of what the start would import.
"""

from airside.core.plugin import load
from airside.core.version import VERSION
from airside.platform.wiring import Platform
from airside.server.api import PREFIX, openapi, operation_handler
from airside.server.app import Route
from airside.server.blobs import get_blob, put_blob
from airside.server.live import Streams
from airside.server.message import JSON_TYPE, Answer, Handler, Request
from airside.server.mlflow.artifacts import ROUTES as MLFLOW_ARTIFACTS
from airside.server.mlflow.artifacts import byte_routes
from airside.server.mlflow.assessments import ROUTES as MLFLOW_ASSESSMENTS
from airside.server.mlflow.evaluation import ROUTES as MLFLOW_EVALUATION
from airside.server.mlflow.logged_models import ROUTES as MLFLOW_LOGGED_MODELS
from airside.server.mlflow.mount import mounted
from airside.server.mlflow.registry import ROUTES as MLFLOW_REGISTRY
from airside.server.mlflow.scorers import ONLINE as MLFLOW_ONLINE_SCORING
from airside.server.mlflow.scorers import ROUTES as MLFLOW_SCORERS
from airside.server.mlflow.trace_calls import trace_routes
from airside.server.mlflow.traces import ROUTES as MLFLOW_TRACES
from airside.server.mlflow.tracking import ROUTES as MLFLOW_TRACKING
from airside.server.mlflow.tracking import fixed_answers
from airside.server.mlflow.webhooks import ROUTES as MLFLOW_WEBHOOKS
from airside.server.otlp.route import otlp_routes
from airside.server.replies import Replies

MLFLOW_GENAI = (*MLFLOW_TRACES, *MLFLOW_ASSESSMENTS, *MLFLOW_EVALUATION, *MLFLOW_SCORERS)
MLFLOW_CALLS = (
    *(*MLFLOW_TRACKING, *MLFLOW_REGISTRY, *MLFLOW_LOGGED_MODELS, *MLFLOW_ARTIFACTS),
    *(*MLFLOW_GENAI, *MLFLOW_WEBHOOKS),
)
TEXT_TYPE = (b"content-type", b"text/plain; charset=utf-8")


async def describe(_request: Request) -> Answer:
    """The OpenAPI description."""
    return Answer(200, openapi(), (JSON_TYPE,))


def metrics(platform: Platform) -> Handler:
    """`GET /metrics`: for Prometheus."""

    async def handle(_request: Request) -> Answer:
        lines = (
            "# TYPE airside_info gauge",
            f'airside_info{{version="{VERSION}",database="{platform.database.dialect}"}} 1',
            "# HELP airside_writes_waiting Writes that wait for the writer.",
            "# TYPE airside_writes_waiting gauge",
            f"airside_writes_waiting {platform.waiting}",
        )
        return Answer(200, ("\n".join(lines) + "\n").encode(), ((b"content-type", b"text/plain; version=0.0.4"),))

    return handle


ARTIFACT_PATHS = ("/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/")
ONLY_ARTIFACTS = b"Endpoint disabled: this server runs with the setting artifacts_only: it moves artifacts alone."


async def disabled(_request: Request) -> Answer:
    """The answer of everything that a server for artifacts alone does not do."""
    return Answer(503, ONLY_ARTIFACTS, (TEXT_TYPE,))


def routes(platform: Platform, replies: Replies, streams: Streams) -> list[Route]:
    """The routes of the interfaces for programs; of a server for artifacts alone, the others say so."""
    return _for_artifacts(platform, _routes(platform, replies, streams))


def _for_artifacts(platform: Platform, every: list[Route]) -> list[Route]:
    if not platform.settings["artifacts_only"]:
        return every
    open_paths = {answer.path for answer in fixed_answers()} | {"/metrics"}
    return [
        route
        if route.path.startswith(ARTIFACT_PATHS) or route.path in open_paths
        else Route(route.method, route.path, disabled, is_public=True)
        for route in every
    ]


def _routes(platform: Platform, replies: Replies, streams: Streams) -> list[Route]:
    fixed = (*fixed_answers(serves_artifacts=platform.settings["serve_artifacts"]), *MLFLOW_ONLINE_SCORING)
    return [
        Route("GET", "/api/openapi.json", describe, is_public=True),
        Route("GET", "/metrics", metrics(platform)),
        Route("GET", "/live", streams.handler()),
        Route("PUT", f"{PREFIX}blobs", put_blob(platform.blobs)),
        Route("GET", f"{PREFIX}blobs/{{blob}}", get_blob(platform.blobs)),
        *(Route("POST", PREFIX + op.name, operation_handler(op, replies)) for op in platform.operations),
        *mounted(MLFLOW_CALLS, fixed, replies),
        *trace_routes(replies),
        *otlp_routes(replies),
        *byte_routes(platform),
    ]


def pages(platform: Platform) -> list[Route]:
    """The routes of the Control Tower's pages; imports what they need."""
    made: list[Route] = load("airside.server.web.edge:web_routes")(platform)
    return _for_artifacts(platform, made)
