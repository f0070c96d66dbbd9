"""Tracking on MLflow's wire: the table of its calls, and the answers that never change."""

from airside.server.mlflow.experiments import ROUTES as EXPERIMENTS
from airside.server.mlflow.histories import ROUTES as HISTORIES
from airside.server.mlflow.runs import ROUTES as RUNS
from airside.server.mlflow.wire import FixedAnswer, WireRoute, write

COMPATIBLE = "3.18.0"
"""The release of MLflow whose clients cannot tell the difference: they parse it."""

ROUTES: tuple[WireRoute, ...] = (*EXPERIMENTS, *RUNS, *HISTORIES)


def fixed_answers(
    *, serves_artifacts: bool = True, signs: bool = False, only_signed: bool = False
) -> tuple[FixedAnswer, ...]:
    """`/version` and `server-info`: what this server can do, answered without login."""
    info = write(
        {
            "store_type": "SqlStore",
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": signs,
            "multipart_downloads_enabled": signs,
            "artifact_serving_enabled": serves_artifacts,
            "presigned_upload_run_id_supported": True,
            "presigned_upload_model_id_supported": True,
            "model_artifact_presigned_downloads_supported": False,
            "features_enabled": {"gateway": False, "scheduled_issue_detection": False},
            "tracking_auth": "",
            "artifacts_presigned_only": only_signed,
        }
    )
    return (
        FixedAnswer(path="/version", body=COMPATIBLE.encode(), content_type="text/plain; charset=utf-8"),
        FixedAnswer(path="/api/3.0/mlflow/server-info", body=info),
        FixedAnswer(path="/ajax-api/3.0/mlflow/server-info", body=info),
    )
