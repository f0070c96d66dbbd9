"""Commands made from the table of operations: `airside models get churn`, `airside runs search --filter …`.

A field that an ask requires is an argument, any other an option; what is not a plain value is given as JSON.
"""

import types
import typing
from typing import Any, Literal

import click
import msgspec

from airside.client.cli.docstrings import entries, sections
from airside.client.cli.options import PLATFORM_OPTIONS, client_of
from airside.client.cli.output import show
from airside.core.errors import Invalid
from airside.core.operation import AnyOperation
from airside.core.plugin import load
from airside.platform.operations import OPERATIONS

_REGISTRY = "airside.client.cli.registry"
TELLERS = {
    "models.history": f"{_REGISTRY}:history",
    "models.rollback": f"{_REGISTRY}:rollback",
    "versions.lineage": f"{_REGISTRY}:lineage",
    "versions.made_from": f"{_REGISTRY}:versions",
    "versions.search": f"{_REGISTRY}:versions",
    "approvals.search": f"{_REGISTRY}:approvals",
    "webhooks.list": f"{_REGISTRY}:webhooks",
    "webhooks.deliveries": f"{_REGISTRY}:deliveries",
}
"""Operations whose answers people read otherwise than field by field."""

BESIDE: dict[str, tuple[str, ...]] = {"runs": ("airside.client.cli.runs:restore_code",)}
"""Commands written by hand that belong to a noun of the table of operations."""

PAGING = {
    "max_results": "at most so many at once.",
    "page_token": "where the page begins: the `next_page_token` of the one before.",
}
"""What fields of many asks are, which those do not say again."""

_PLAIN: dict[Any, click.ParamType[Any]] = {str: click.STRING, int: click.INT, float: click.FLOAT, bool: click.BOOL}


def nouns() -> list[str]:
    """The nouns that have operations."""
    return sorted({operation.name.partition(".")[0].replace("_", "-") for operation in OPERATIONS})


def group_of(noun: str) -> click.Group | None:
    """The commands of a noun; None when there is no such noun."""
    key = noun.replace("-", "_")
    mine = [operation for operation in OPERATIONS if operation.name.partition(".")[0] == key]
    if not mine:
        return None
    commands = [*(_command(operation) for operation in mine), *(load(path) for path in BESIDE.get(noun, ()))]
    verbs = {command.name: command for command in commands}
    return click.Group(
        noun, verbs, help=f"What can be done with {noun.replace('-', ' ')}.", short_help=", ".join(sorted(verbs))
    )


def _command(operation: AnyOperation) -> click.Command:
    hints = typing.get_type_hints(operation.ask_type)
    fields = msgspec.structs.fields(operation.ask_type)
    told = {**PAGING, **dict(entries(sections(operation.ask_type).get("Attributes", "")))}
    params: list[click.Parameter] = [
        _parameter(operation.noun, field, hints[field.name], _sentence(told.get(field.name, ""))) for field in fields
    ]
    arguments = [f"{name.upper()}: {told[name]}" for name in (f.name for f in fields if f.required) if name in told]

    def run(as_json: bool, **values: Any) -> None:
        with client_of(values) as client:
            answer = client.call(_ask(operation, values))
        if as_json or operation.name not in TELLERS:
            show(answer, as_json=as_json)
        else:
            load(TELLERS[operation.name])(answer)

    return click.Command(
        operation.name.partition(".")[2].replace("_", "-"),
        callback=run,
        help="\n\n".join((sections(operation)[""], *arguments)),
        short_help=operation.summary,
        params=[*params, *(make() for make in PLATFORM_OPTIONS)],
    )


_PLATFORM_FLAGS = frozenset(flag for make in PLATFORM_OPTIONS for flag in make().opts)


def _ask(operation: AnyOperation, values: dict[str, Any]) -> Any:
    sent = {name: value for name, value in values.items() if value is not None and value != ()}
    try:
        return msgspec.convert(sent, operation.ask_type, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise Invalid(f"{operation.name}: {error}") from error


class _Json(click.ParamType[Any]):
    """A value in JSON; a bare word is a text."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Decode."""
        if not isinstance(value, str):
            return value
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            if value[:1] in "[{":
                self.fail(f"'{value[:80]}' is not JSON", param, ctx)
            return value


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _parameter(noun: str, field: msgspec.structs.FieldInfo, hint: Any, told: str) -> click.Parameter:
    """A field as an argument or an option; the url of a webhook is `--webhook-url`, for `--url` names the platform."""
    hint = _bare(hint)
    is_many = typing.get_origin(hint) in (tuple, list) and _bare(typing.get_args(hint)[0]) is str
    kind: click.ParamType[Any]
    if typing.get_origin(hint) is Literal:
        kind = click.Choice([choice for choice in typing.get_args(hint) if choice])
    else:
        kind = _PLAIN.get(hint, click.STRING if is_many else _Json())
    if field.required:
        return click.Argument([field.name], type=kind, nargs=-1 if is_many else 1)
    flag = f"--{field.name.replace('_', '-')}"
    if flag in _PLATFORM_FLAGS:
        flag = f"--{noun.replace('_', '-')}-{flag[2:]}"
    if hint is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}", field.name], default=None, help=told)
    return click.Option([flag, field.name], type=kind, default=None, multiple=is_many, help=told)


def _bare(hint: Any) -> Any:
    """The type under NewType and `| None`."""
    while isinstance(hint, typing.NewType):
        hint = hint.__supertype__
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else hint
    return hint
