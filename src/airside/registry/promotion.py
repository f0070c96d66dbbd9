"""Moving aliases, and what must be there before `champion` moves."""

from airside.core.errors import Conflict
from airside.core.ids import ModelName
from airside.core.operation import Context
from airside.registry import history, queries, rules
from airside.registry.events import AliasMoved, VersionPromoted
from airside.registry.records import CHAMPION, AliasMove, ModelVersion


def require(ctx: Context, version: ModelVersion, what: str) -> None:
    """Refuse unless the version has all that its model requires.

    `what` is what should move to it, for the text: `alias 'champion'`.

    Raises:
        Conflict: with the list of what is missing.
    """
    requires = rules.together(queries.requirement(ctx.tx, version.name), version.approvers)
    if not (requires.gates or requires.approvers):
        return
    subject = f"{version.name}@{version.version}"
    approvals = queries.approvals_of(ctx.tx, "version", subject)
    missing = rules.lacking(requires, version.verdicts, approvals, created_by=version.created_by)
    if missing:
        raise Conflict(
            f"The {what} cannot move to '{subject}'. It lacks {'; '.join(missing)}. "
            f"Run the gates; ask for approvals with: airside approvals ask version {subject}; see what the model "
            f"requires with: airside models get {version.name}"
        )


def objections(ctx: Context, version: ModelVersion) -> tuple[str, ...]:
    """What has come up against a version since it was good enough."""
    approvals = queries.approvals_of(ctx.tx, "version", f"{version.name}@{version.version}")
    return rules.objections(queries.requirement(ctx.tx, version.name), version.verdicts, approvals)


def move_alias(
    ctx: Context, name: ModelName, alias: str, version: int, *, is_rollback: bool = False, reason: str = ""
) -> AliasMove:
    """Make an alias name a version. Nothing happens when it does already."""
    previous = queries.alias(ctx.tx, name, alias)
    if previous != version:
        queries.put_alias(ctx.tx, name, alias, version, ctx.now_ms())
        history.record(
            ctx,
            name,
            version,
            what="rollback" if is_rollback else "alias",
            key=alias,
            before="" if previous is None else str(previous),
            after=str(version),
            reason=reason,
        )
        is_prompt = rules.is_prompt(queries.model_tags(ctx.tx, name) or {})
        ctx.announce(AliasMoved(name=name, alias=alias, version=version, previous=previous, is_prompt=is_prompt))
        if alias == CHAMPION:
            ctx.announce(VersionPromoted(name=name, version=version, previous=previous, is_rollback=is_rollback))
    return AliasMove(name=name, alias=alias, version=version, previous=previous)


def drop_alias(ctx: Context, name: ModelName, alias: str) -> AliasMove:
    """Take an alias away. Nothing happens when it is not there."""
    previous = queries.alias(ctx.tx, name, alias)
    if previous is not None:
        queries.delete_alias(ctx.tx, name, alias, ctx.now_ms())
        history.record(ctx, name, previous, what="alias", key=alias, before=str(previous))
        is_prompt = rules.is_prompt(queries.model_tags(ctx.tx, name) or {})
        ctx.announce(AliasMoved(name=name, alias=alias, version=None, previous=previous, is_prompt=is_prompt))
    return AliasMove(name=name, alias=alias, version=None, previous=previous)
