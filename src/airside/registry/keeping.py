"""What the trash must not remove: runs and logged models whose files a registered version needs."""

from airside.core.operation import Context
from airside.registry.queries import versions
from airside.tracking.trash.records import TrashKind


def needed(ctx: Context, kind: TrashKind, ids: tuple[str, ...]) -> dict[str, str]:
    """Which of some runs or logged models are needed, and by which version."""
    if kind == "logged_model":
        return {row[2]: f"{row[0]}@{row[1]}" for row in versions.of_models(ctx.tx, ids)}
    return {
        row[2]: f"{row[0]}@{row[1]}"
        for row in versions.of_runs(ctx.tx, ids)
        if f"/{row[2]}/" in f"{row[3]}/"  # a version of the run's logged model has its files there, not in the run
    }
