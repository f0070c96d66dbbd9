"""Verbs on aliases."""

from airside.core.ids import ModelName
from airside.core.operation import Context, operation
from airside.core.record import Ask
from airside.registry import promotion, queries, rules
from airside.registry.operations.models import GetModel, get_model
from airside.registry.operations.versions import GetVersion, get_version
from airside.registry.records import AliasMove


class SetAlias(Ask[AliasMove]):
    """An alias that shall name a version."""

    name: ModelName
    alias: str
    version: int


@operation("aliases.set", needs="model:promote")
def set_alias(ctx: Context, ask: SetAlias) -> AliasMove:
    """Make an alias name a version; an alias that named another one moves.

    Raises:
        Invalid: the alias is not allowed or reserved.
        NotFound: there is no such version.
        Conflict: the alias (`champion`, or what the model names) needs verdicts or approvals that the version lacks.
    """
    rules.check_alias(ask.alias, reserved=False)
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    if ask.alias in queries.requirement(ctx.tx, ask.name).aliases and ask.alias not in version.aliases:
        promotion.require(ctx, version, f"alias '{ask.alias}'")
    return promotion.move_alias(ctx, ask.name, ask.alias, ask.version)


class DeleteAlias(Ask[AliasMove]):
    """An alias that shall go."""

    name: ModelName
    alias: str


@operation("aliases.delete", needs="model:promote")
def delete_alias(ctx: Context, ask: DeleteAlias) -> AliasMove:
    """Take an alias away; one that is not there is no error.

    Raises:
        NotFound: no model has that name.
    """
    rules.check_alias(ask.alias)
    get_model(ctx, GetModel(name=ask.name))
    return promotion.drop_alias(ctx, ask.name, ask.alias)
