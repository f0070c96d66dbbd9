"""The verbs of the registry, one file for each noun."""

from airside.core.operation import AnyOperation
from airside.registry.operations import aliases, approvals, models, verdicts, versions

OPERATIONS: tuple[AnyOperation, ...] = (
    models.create_model,
    models.get_model,
    models.search_models,
    models.rename_model,
    models.update_model,
    models.delete_model,
    models.set_model_tag,
    models.delete_model_tag,
    models.require_of_model,
    models.model_history,
    models.rollback_model,
    versions.create_version,
    versions.get_version,
    versions.search_versions,
    versions.update_version,
    versions.delete_version,
    versions.set_version_tag,
    versions.delete_version_tag,
    versions.set_stage,
    versions.latest_versions,
    versions.version_by_alias,
    versions.download_uri,
    versions.complete_version,
    aliases.set_alias,
    aliases.delete_alias,
    verdicts.leave_verdict,
    approvals.ask_approval,
    approvals.decide_approval,
    approvals.get_approval,
    approvals.search_approvals,
)
