"""Every address of MLflow's wire: the tables of its calls, hung into the server's router."""

from airside.platform.wiring import Platform
from airside.server.app import Route
from airside.server.mlflow import (
    artifacts,
    assessments,
    evaluation,
    logged_models,
    registry,
    scorers,
    traces,
    tracking,
    webhooks,
)
from airside.server.mlflow.mount import mounted
from airside.server.mlflow.trace_calls import trace_routes
from airside.server.mlflow.trace_files import file_routes
from airside.server.mlflow.wire import WireRoute
from airside.server.replies import Replies
from airside.store.artifacts.port import SignsAddresses

GENAI: tuple[WireRoute, ...] = (*traces.ROUTES, *assessments.ROUTES, *evaluation.ROUTES, *scorers.ROUTES)
CALLS: tuple[WireRoute, ...] = (
    *tracking.ROUTES,
    *registry.ROUTES,
    *logged_models.ROUTES,
    *artifacts.ROUTES,
    *GENAI,
    *webhooks.ROUTES,
)


def mlflow_routes(platform: Platform, replies: Replies) -> list[Route]:
    """The routes that MLflow's clients ask."""
    serves = platform.settings["serve_artifacts"]
    signs = serves and isinstance(platform.artifacts, SignsAddresses)
    only_signed = platform.settings["artifacts_presigned_only"]
    about = tracking.fixed_answers(serves_artifacts=serves, signs=signs, only_signed=only_signed)
    return [
        *mounted(CALLS, (*about, *scorers.ONLINE), replies),
        *trace_routes(replies),
        *file_routes(platform, replies),
        *artifacts.byte_routes(platform),
    ]
