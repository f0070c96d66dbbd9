"""What a form changes of registered models and their versions. What asks for nothing of these is no form of theirs."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from airside.core.errors import Invalid
from airside.core.ids import ModelName
from airside.registry.operations.aliases import DeleteAlias, SetAlias
from airside.registry.operations.approvals import AskApproval
from airside.registry.operations.models import (
    CreateModel,
    DeleteModel,
    DeleteModelTag,
    RenameModel,
    RollbackModel,
    SetModelTag,
    UpdateModel,
)
from airside.registry.operations.versions import (
    DeleteVersion,
    DeleteVersionTag,
    SetStage,
    SetVersionTag,
    UpdateVersion,
)
from airside.registry.records import CHAMPION
from airside.server.web.page import Call, PageQuery, View, address, no_action
from airside.server.web.pages.versions import version_number

Done = tuple[object, str]
"""What came of it, and where to look at it."""


def create(call: Call, query: PageQuery) -> View:
    """Make a registered model; versions come from runs."""
    name = ModelName(query.form.get("name", "").strip())
    done = call(CreateModel(name=name, description=query.form.get("text") or None))
    return View(redirect=address("/models/{}", name), data=done)


def change_model(call: Call, query: PageQuery) -> View:
    """Describe, tag, rename or delete a model, move its aliases, or roll one back."""
    name = ModelName(query.names["name"])
    done, leads = _chosen(_OF_MODEL, query.form.get("do", "rollback"))(call, query, name)
    return View(redirect=leads, data=done)


def change_version(call: Call, query: PageQuery) -> View:
    """Describe, tag or delete a version, move aliases or stages to it, or ask for its approval.

    Raises:
        Conflict: the version lacks what its model asks for.
    """
    name, number = ModelName(query.names["name"]), version_number(query.names["version"])
    done, leads = _chosen(_OF_VERSION, query.form.get("do", "champion"))(call, query, name, number)
    return View(redirect=leads, data=done)


T = TypeVar("T")
OfModel = Callable[[Call, PageQuery, ModelName], Done]
OfVersion = Callable[[Call, PageQuery, ModelName, int], Done]


def _chosen(table: Mapping[str, T], wanted: str) -> T:
    if wanted not in table:
        raise no_action(wanted)
    return table[wanted]


def _page(name: ModelName, tab: str = "") -> str:
    return address("/models/{}", name, tab=tab)


def _roll_back(call: Call, query: PageQuery, name: ModelName) -> Done:
    form = query.form
    to = version_number(form["to"]) if form.get("to") else 0
    ask = RollbackModel(name=name, to=to, alias=form.get("alias") or CHAMPION, reason=form.get("reason", "").strip())
    return call(ask), _page(name, "history")


def _describe(call: Call, query: PageQuery, name: ModelName) -> Done:
    return call(UpdateModel(name=name, description=query.form.get("text", ""))), _page(name)


def _tag(call: Call, query: PageQuery, name: ModelName) -> Done:
    return call(SetModelTag(name=name, key=_key(query), value=query.form.get("value", ""))), _page(name)


def _untag(call: Call, query: PageQuery, name: ModelName) -> Done:
    return call(DeleteModelTag(name=name, key=query.form.get("key", ""))), _page(name)


def _alias(call: Call, query: PageQuery, name: ModelName) -> Done:
    version = version_number(query.form.get("version", ""))
    return call(SetAlias(name=name, alias=_named(query), version=version)), _page(name, "versions")


def _unalias(call: Call, query: PageQuery, name: ModelName) -> Done:
    return call(DeleteAlias(name=name, alias=query.form.get("alias", ""))), _page(name, "versions")


def _rename(call: Call, query: PageQuery, name: ModelName) -> Done:
    new = ModelName(query.form.get("name", "").strip())
    return call(RenameModel(name=name, new_name=new)), _page(new)


def _delete(call: Call, query: PageQuery, name: ModelName) -> Done:
    """Gone is gone: the name is typed once more."""
    if query.form.get("name", "").strip() != name:
        raise Invalid(f"To delete a model with all its versions, type its name: {name}")
    return call(DeleteModel(name=name)), "/"


_OF_MODEL: dict[str, OfModel] = {
    "rollback": _roll_back,
    "describe": _describe,
    "tag": _tag,
    "untag": _untag,
    "alias": _alias,
    "unalias": _unalias,
    "rename": _rename,
    "delete": _delete,
}


def _key(query: PageQuery) -> str:
    return query.form.get("key", "").strip()


def _named(query: PageQuery) -> str:
    return query.form.get("alias", "").strip()


def _of(name: ModelName, number: int) -> str:
    return address("/models/{}/versions/{}", name, str(number))


def _make_champion(call: Call, _query: PageQuery, name: ModelName, number: int) -> Done:
    return call(SetAlias(name=name, alias=CHAMPION, version=number)), _of(name, number)


def _ask(call: Call, _query: PageQuery, name: ModelName, number: int) -> Done:
    return call(AskApproval(subject_kind="version", subject=f"{name}@{number}")), _of(name, number)


def _set_alias(call: Call, query: PageQuery, name: ModelName, number: int) -> Done:
    return call(SetAlias(name=name, alias=_named(query), version=number)), _of(name, number)


def _drop_alias(call: Call, query: PageQuery, name: ModelName, number: int) -> Done:
    return call(DeleteAlias(name=name, alias=query.form.get("alias", ""))), _of(name, number)


def _stage(call: Call, query: PageQuery, name: ModelName, number: int) -> Done:
    archives = query.form.get("archive", "") == "yes" and query.form.get("stage") in {"Staging", "Production"}
    ask = SetStage(name=name, version=number, stage=query.form.get("stage", ""), archive_existing=archives)
    return call(ask), _of(name, number)


def _describe_version(call: Call, query: PageQuery, name: ModelName, number: int) -> Done:
    return call(UpdateVersion(name=name, version=number, description=query.form.get("text", ""))), _of(name, number)


def _tag_version(call: Call, query: PageQuery, name: ModelName, number: int) -> Done:
    ask = SetVersionTag(name=name, version=number, key=_key(query), value=query.form.get("value", ""))
    return call(ask), _of(name, number)


def _untag_version(call: Call, query: PageQuery, name: ModelName, number: int) -> Done:
    return call(DeleteVersionTag(name=name, version=number, key=query.form.get("key", ""))), _of(name, number)


def _delete_version(call: Call, query: PageQuery, name: ModelName, number: int) -> Done:
    if query.form.get("version", "").strip().removeprefix("v") != str(number):
        raise Invalid(f"To delete this version for good, type its number: {number}")
    return call(DeleteVersion(name=name, version=number)), _page(name, "versions")


_OF_VERSION: dict[str, OfVersion] = {
    "champion": _make_champion,
    "ask": _ask,
    "alias": _set_alias,
    "unalias": _drop_alias,
    "stage": _stage,
    "describe": _describe_version,
    "tag": _tag_version,
    "untag": _untag_version,
    "delete": _delete_version,
}
