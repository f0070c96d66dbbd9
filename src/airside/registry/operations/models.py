"""Verbs on registered models."""

from airside.core.errors import AlreadyExists, Conflict, NotFound
from airside.core.ids import ModelName
from airside.core.operation import Context, operation
from airside.core.record import DONE, Ask, Done
from airside.registry import history, promotion, queries, rules, search
from airside.registry.events import ModelCreated, ModelDeleted, ModelRenamed, ModelTagged
from airside.registry.records import (
    CHAMPION,
    ChangePage,
    ModelPage,
    RegisteredModel,
    Requirement,
    Rollback,
)
from airside.tracking.rules import check_length

Moves = tuple[tuple[str, str], ...]
"""What happened to an alias, oldest first."""


class CreateModel(Ask[RegisteredModel]):
    """A new name to register versions under."""

    name: ModelName
    description: str | None = None
    tags: dict[str, str] = {}


@operation("models.create", needs="model:write")
def create_model(ctx: Context, ask: CreateModel) -> RegisteredModel:
    """Create a registered model.

    Raises:
        Invalid: the name or a tag is not allowed.
        AlreadyExists: the name is taken, perhaps by a prompt.
    """
    rules.check_model_name(ask.name)
    for key, value in ask.tags.items():
        rules.check_tag(key, value)
    standing = queries.model_tags(ctx.tx, ask.name)
    if standing is not None:
        wanted_is_prompt, is_prompt = (rules.PROMPT_TAG in tags for tags in (ask.tags, standing))  # whatever its value
        raise AlreadyExists(rules.name_taken(ask.name, wanted_is_prompt=wanted_is_prompt, is_prompt=is_prompt))
    now_ms = ctx.now_ms()
    queries.insert_model(ctx.tx, ask.name, ask.description, ctx.actor.name, now_ms)
    queries.put_model_tags(ctx.tx, ask.name, ask.tags)
    history.record(ctx, ask.name, what="created")
    history.record_first(ctx, ask.name, None, ask.description, ask.tags)
    ctx.announce(ModelCreated(name=ask.name, description=ask.description, tags=ask.tags))
    return RegisteredModel(
        name=ask.name,
        description=ask.description,
        tags=ask.tags,
        created_by=ctx.actor.name,
        created_ms=now_ms,
        updated_ms=now_ms,
    )


class GetModel(Ask[RegisteredModel]):
    """A registered model by its name."""

    name: ModelName


@operation("models.get", needs="model:read")
def get_model(ctx: Context, ask: GetModel) -> RegisteredModel:
    """A registered model with its tags, aliases and the latest version of each stage.

    Raises:
        NotFound: no model has that name.
    """
    model = queries.model(ctx.tx, ask.name)
    if model is None:
        raise NotFound(f"Registered Model with name={ask.name} not found")
    return model


class SearchModels(Ask[ModelPage]):
    """Registered models that match a filter in MLflow's grammar, e.g. `name LIKE 'churn%'`."""

    filter: str = ""
    max_results: int = 100
    order_by: tuple[str, ...] = ()
    page_token: str = ""


@operation("models.search", needs="model:read")
def search_models(ctx: Context, ask: SearchModels) -> ModelPage:
    """Search registered models. Prompts are left out unless the filter asks for them.

    Raises:
        Invalid: the filter, the order or the page token cannot be read.
    """
    return search.models(ctx, ask.filter, ask.max_results, ask.order_by, ask.page_token)


class RenameModel(Ask[RegisteredModel]):
    """A new name for a registered model."""

    name: ModelName
    new_name: ModelName


@operation("models.rename", needs="model:delete")
def rename_model(ctx: Context, ask: RenameModel) -> RegisteredModel:
    """Rename a model; versions, tags, aliases and history move along.

    Raises:
        NotFound: no model has the old name.
        AlreadyExists: the new name is taken.
    """
    rules.check_model_name(ask.new_name, parameter="new_name")
    model = get_model(ctx, GetModel(name=ask.name))
    if ask.new_name != ask.name:
        if queries.model_tags(ctx.tx, ask.new_name) is not None:
            raise AlreadyExists(
                f"Registered Model (name={ask.new_name}) already exists. Error: the name is taken by another model."
            )
        queries.rename_model(ctx.tx, ask.name, ask.new_name, ctx.now_ms())
        history.record(ctx, ask.new_name, what="renamed", before=model.name, after=ask.new_name)
        ctx.announce(ModelRenamed(name=ask.new_name, old_name=ask.name))
    return get_model(ctx, GetModel(name=ask.new_name))


class UpdateModel(Ask[RegisteredModel]):
    """A new description of a registered model."""

    name: ModelName
    description: str = ""


@operation("models.update", needs="model:write")
def update_model(ctx: Context, ask: UpdateModel) -> RegisteredModel:
    """Set the description.

    Raises:
        NotFound: no model has that name.
    """
    model = get_model(ctx, GetModel(name=ask.name))
    queries.set_model_description(ctx.tx, ask.name, ask.description, ctx.now_ms())
    history.record(ctx, ask.name, what="description", before=model.description or "", after=ask.description)
    return get_model(ctx, GetModel(name=ask.name))


class DeleteModel(Ask[Done]):
    """A registered model that shall go, with all its versions."""

    name: ModelName


@operation("models.delete", needs="model:delete")
def delete_model(ctx: Context, ask: DeleteModel) -> Done:
    """Delete a model with its versions, tags, aliases and verdicts. The name is free again; the history stays.

    Raises:
        NotFound: no model has that name.
    """
    get_model(ctx, GetModel(name=ask.name))
    queries.delete_model(ctx.tx, ask.name)
    history.record(ctx, ask.name, what="deleted")
    ctx.announce(ModelDeleted(name=ask.name))
    return DONE


class SetModelTag(Ask[Done]):
    """A tag of a registered model."""

    name: ModelName
    key: str
    value: str = ""


@operation("models.set_tag", needs="model:write")
def set_model_tag(ctx: Context, ask: SetModelTag) -> Done:
    """Set a tag, or overwrite it.

    Raises:
        Invalid: the key or the value is not allowed.
        NotFound: no model has that name.
    """
    rules.check_tag(ask.key, ask.value)
    tags = _tags(ctx, ask.name)
    queries.put_model_tags(ctx.tx, ask.name, {ask.key: ask.value})
    history.record(ctx, ask.name, what="tag", key=ask.key, before=tags.get(ask.key, ""), after=ask.value)
    is_prompt = rules.is_prompt({**tags, ask.key: ask.value})
    ctx.announce(ModelTagged(name=ask.name, key=ask.key, value=ask.value, is_prompt=is_prompt))
    return DONE


class DeleteModelTag(Ask[Done]):
    """A tag of a registered model that shall go."""

    name: ModelName
    key: str


@operation("models.delete_tag", needs="model:write")
def delete_model_tag(ctx: Context, ask: DeleteModelTag) -> Done:
    """Take a tag away; one that is not there is no error.

    Raises:
        NotFound: no model has that name.
    """
    rules.check_tag(ask.key, "")
    tags = _tags(ctx, ask.name)
    if ask.key in tags:
        queries.delete_model_tag(ctx.tx, ask.name, ask.key)
        history.record(ctx, ask.name, what="tag", key=ask.key, before=tags[ask.key])
        ctx.announce(ModelTagged(name=ask.name, key=ask.key, value=None, is_prompt=rules.is_prompt(tags)))
    return DONE


class RequireOfModel(Ask[RegisteredModel]):
    """What versions of a model need before some aliases, or the stage `Production`, move to them."""

    name: ModelName
    gates: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = (CHAMPION,)


@operation("models.require", needs="model:promote")
def require_of_model(ctx: Context, ask: RequireOfModel) -> RegisteredModel:
    """Set the gates whose verdict, and the people whose approval, a champion needs. Nothing of both: it moves freely.

    Raises:
        NotFound: no model has that name.
        Invalid: an alias cannot be one.
    """
    for alias in ask.aliases:
        rules.check_alias(alias, reserved=False)
    model = get_model(ctx, GetModel(name=ask.name))
    requires = Requirement(
        gates=tuple(dict.fromkeys(ask.gates)),
        approvers=tuple(dict.fromkeys(ask.approvers)),
        aliases=tuple(dict.fromkeys(ask.aliases)) or (CHAMPION,),
    )
    queries.set_requirement(ctx.tx, ask.name, requires, ctx.now_ms())
    history.record(
        ctx,
        ask.name,
        what="requirement",
        before=rules.requirement_text(model.requires),
        after=rules.requirement_text(requires),
    )
    return get_model(ctx, GetModel(name=ask.name))


class ModelHistory(Ask[ChangePage]):
    """Who changed what about a model and its versions; of one version, or of one kind (`alias`), when named."""

    name: ModelName
    version: int | None = None
    what: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("models.history", needs="model:read")
def model_history(ctx: Context, ask: ModelHistory) -> ChangePage:
    """The history of a model, newest change first; it outlives the model.

    Raises:
        Invalid: the page size or the token is not one.
    """
    return history.page(ctx, ask.name, ask.version, ask.what, ask.max_results, ask.page_token)


class RollbackModel(Ask[Rollback]):
    """A model whose champion shall be the version that it was before.

    Attributes:
        to: the version; 0 for the one that the alias named before.
        alias: which alias moves.
        reason: why; it stands in the history.
    """

    name: ModelName
    to: int = 0
    alias: str = CHAMPION
    reason: str = ""


@operation("models.rollback", needs="model:promote")
def rollback_model(ctx: Context, ask: RollbackModel) -> Rollback:
    """Move an alias back to the good version it named before. What it named once needs no verdict again.

    A version is passed over when a gate has failed it, or an approval of it was refused or revoked, since. Asked
    again, it goes one step further back.

    Raises:
        NotFound: no model has that name, or it has no version `to`.
        Conflict: there is no earlier good version that still exists, or `to` never had what the model requires.
        Invalid: the reason is too long.
    """
    check_length(ask.reason, "reason", history.MAX_TEXT)
    model = get_model(ctx, GetModel(name=ask.name))
    moves = queries.alias_moves(ctx.tx, ask.name, ask.alias)
    skipped: tuple[str, ...] = ()
    if ask.to:
        target = _named(ctx, ask, moves)
    else:
        target, skipped = _before(ctx, model, ask.alias, moves)
    is_back = rules.is_step_back(moves, target)
    move = promotion.move_alias(ctx, ask.name, ask.alias, target, is_rollback=is_back, reason=ask.reason)
    steps = rules.steps_back(moves) + 1 if is_back else 0
    return Rollback(
        name=ask.name,
        alias=ask.alias,
        version=target,
        previous=move.previous,
        skipped=skipped,
        steps=steps,
        text=rules.rollback_text(move, skipped=skipped, steps=steps),
    )


def _named(ctx: Context, ask: RollbackModel, moves: Moves) -> int:
    """The version that is asked for, if the alias may move to it."""
    version = queries.version(ctx.tx, ask.name, ask.to)
    if version is None:
        raise NotFound(f"Model Version (name={ask.name}, version={ask.to}) not found")
    was_there = any(after == str(ask.to) for _, after in moves)
    requires = queries.requirement(ctx.tx, ask.name)
    if ask.alias in requires.aliases and not (was_there and not promotion.objections(ctx, version)):
        promotion.require(ctx, version, f"alias '{ask.alias}'")
    return ask.to


def _before(ctx: Context, model: RegisteredModel, alias: str, moves: Moves) -> tuple[int, tuple[str, ...]]:
    """The good version that the alias named before, and those that were passed over, with the reason."""
    there = set(queries.version_numbers(ctx.tx, model.name))
    skipped: list[str] = []
    while (target := rules.version_before(moves, there)) is not None:
        version = queries.version(ctx.tx, model.name, target)
        against = promotion.objections(ctx, version) if version else ()
        if not against:
            return target, tuple(skipped)
        skipped.append(f"{target}, for {' and '.join(against)}")
        there.discard(target)
    now = model.aliases.get(alias)
    raise Conflict(
        f"'{model.name}' has no earlier {alias} to roll back to. "
        + "".join(f"Version {each}. " for each in skipped)
        + (f"Before version {now} it named none that still exists. " if now and not skipped else "")
        + ("" if now else "The alias names no version. ")
        + f"Name one: airside models rollback {model.name} --to VERSION"
    )


def _tags(ctx: Context, name: ModelName) -> dict[str, str]:
    tags = queries.model_tags(ctx.tx, name)
    if tags is None:
        raise NotFound(f"Registered Model with name={name} not found")
    return tags
