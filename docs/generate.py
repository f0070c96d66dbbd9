"""Writes `docs/reference/*.md` from the tables of the code: `python -m docs.generate`, or `make docs`.

A test compares the committed pages with what this writes, so that they cannot fall behind.
"""

import importlib
import tomllib
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NewType

import click
import msgspec

import airside
from airside.client.cli.docstrings import entries, sections
from airside.client.cli.generated import group_of, nouns
from airside.client.cli.main import COMMANDS
from airside.client.cli.options import DEFAULT_HOME, PLATFORM_OPTIONS
from airside.core.aliases import ALIASES, Alias
from airside.core.errors import AirsideError
from airside.core.event import Event
from airside.core.operation import AnyOperation
from airside.core.plugin import load
from airside.core.record import Ask, Record
from airside.core.settings import SETTINGS
from airside.platform.loops import LOOPS
from airside.platform.operations import OPERATIONS
from airside.platform.reactions.table import REACTIONS

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "reference"
WIDTH = 100
_NOTE = "<!-- Written by docs/generate.py from the code. Do not edit: run `make docs`. -->"


# -- docstrings --------------------------------------------------------------------------------------------------------


def first_line(thing: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(sections(thing)[""].partition("\n\n")[0].split())


def prose(thing: Any) -> str:
    """A docstring without its sections and its examples, a line for each paragraph."""
    kept = [part for part in sections(thing)[""].split("\n\n") if ">>>" not in part]
    return "\n\n".join(" ".join(part.split()) for part in kept)


# -- types and fields --------------------------------------------------------------------------------------------------


def room_of(kind: type) -> str:
    """The room that a class lives in."""
    return kind.__module__.split(".")[1]


def operations_by_noun() -> dict[str, list[AnyOperation]]:
    """The operations under the noun that their name begins with, in the order of the table."""
    found: dict[str, list[AnyOperation]] = {}
    for operation in OPERATIONS:
        found.setdefault(operation.name.partition(".")[0], []).append(operation)
    return found


def records() -> list[type[Record]]:
    """Every record that is a part of an ask or of an answer, by room and name; asks themselves left out."""
    seen: set[Any] = set()

    def walk(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, Record) and kind not in seen:
            seen.add(kind)
            for hint in typing.get_type_hints(kind).values():
                walk(hint)
        for part in typing.get_args(kind):
            walk(part)

    for operation in OPERATIONS:
        walk(operation.ask_type)
        walk(operation.answer_type)
    kept = [kind for kind in seen if not issubclass(kind, Ask)]
    return sorted(kept, key=lambda kind: (room_of(kind), kind.__name__))


def events() -> list[type[Event]]:
    """Every kind of event, by room and name."""
    root = Path(airside.__file__).parent
    for path in sorted(root.rglob("events.py")):
        importlib.import_module(".".join(("airside", *path.relative_to(root).with_suffix("").parts)))

    def below(kind: type[Event]) -> Iterator[type[Event]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return sorted(
        (kind for kind in below(Event) if kind.NAME and kind.__module__.startswith("airside.")),
        key=lambda kind: (room_of(kind), kind.NAME),
    )


def errors(root: type[AirsideError] = AirsideError, depth: int = 0) -> Iterator[tuple[int, type[AirsideError]]]:
    """The tree of `core.errors`, from above, with the depth of each class."""
    yield depth, root
    for child in root.__subclasses__():
        if child.__module__ == "airside.core.errors":
            yield from errors(child, depth + 1)


def _shared() -> set[str]:
    """The names that records of several rooms have."""
    names = [kind.__name__ for kind in records()]
    return {name for name in names if names.count(name) > 1}


class Writer:
    """Writes types and fields; knows which names need their room in front."""

    def __init__(self) -> None:
        self._shared = _shared()

    def name(self, kind: type) -> str:
        """A record's name, with its room where two rooms have one of that name."""
        return f"{room_of(kind)}.{kind.__name__}" if kind.__name__ in self._shared else kind.__name__

    def written(self, hint: Any) -> str:  # noqa: PLR0911 -- one line for each form of a type
        """A type as a person writes it."""
        if isinstance(hint, NewType):
            return hint.__name__
        if hint is type(None):
            return "None"
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is Literal:
            return " | ".join(f'"{one}"' if isinstance(one, str) else str(one) for one in args)
        if origin is typing.Annotated:
            return self.written(args[0])
        if origin in (tuple, list, dict, frozenset, set):
            inner = ", ".join("..." if one is ... else self.written(one) for one in args)
            return f"{origin.__name__}[{inner}]"
        if args:
            return " | ".join(self.written(one) for one in args)
        if isinstance(hint, type) and issubclass(hint, Record):
            return self.name(hint)
        return getattr(hint, "__name__", str(hint)).replace("Any", "any JSON")

    def default(self, value: Any) -> str:
        """A default as a person writes it."""
        if isinstance(value, str):
            return f'"{value}"'
        if isinstance(value, tuple | list):
            inner = ", ".join(self.default(one) for one in value)
            return f"({inner}{',' if len(value) == 1 else ''})" if isinstance(value, tuple) else f"[{inner}]"
        if isinstance(value, Record):
            fields = msgspec.structs.fields(type(value))
            told = [
                f"{field.name}={self.default(getattr(value, field.name))}"
                for field in fields
                if getattr(value, field.name) != _default_of(field)
            ]
            return f"{self.name(type(value))}({', '.join(told)})"
        return repr(value)

    def fields(self, kind: type[Record]) -> list[tuple[str, str]]:
        """Each field as `name: type = default`, and what its docstring says of it."""
        hints = typing.get_type_hints(kind)
        said = dict(entries(sections(kind).get("Attributes", "")))
        found = []
        for field in msgspec.structs.fields(kind):
            default = _default_of(field)
            tail = "" if default is msgspec.NODEFAULT else f" = {self.default(default)}"
            found.append((f"{field.name}: {self.written(hints[field.name])}{tail}", said.get(field.name, "")))
        return found


def _default_of(field: Any) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _signature(head: str, fields: list[tuple[str, str]], tail: str) -> str:
    plain = f"{head}({', '.join(text for text, _ in fields)}){tail}"
    if len(plain) <= WIDTH and not any(said for _, said in fields):
        return plain
    lines = [f"    {text}," + (f"  # {said}" if said else "") for text, said in fields]
    return "\n".join([f"{head}(", *lines, f"){tail}"])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(map(_cell, row)) + " |" for row in rows)])


def _anchor(name: str) -> str:
    return name.lower().replace(".", "")


def _page(title: str, *blocks: str) -> str:
    return "\n\n".join((_NOTE, f"# {title}", *blocks)) + "\n"


# -- the pages ---------------------------------------------------------------------------------------------------------


def operations_page() -> str:
    """Every operation: what it needs, takes, answers, raises."""
    write = Writer()
    blocks = [
        (
            "Each operation is at once a route (`POST /api/v1/NAME`, the fields as JSON), a Python call "
            "(`client.call(Ask(...))`) and a command (`airside NOUN VERB`; `_` becomes `-`). `needs` is the right; the "
            "verb `read` makes it a query. What is behind `->` is the answer, a record of [records](records.md)."
        ),
        (
            "Besides the errors named here, any operation may answer `Invalid` (a value is not allowed), `NotFound` "
            "(an id names nothing), `Unauthenticated`, `Denied`, `Overloaded`, `Unavailable`, `DiskFull` and "
            "`Internal`: see [errors](errors.md)."
        ),
    ]
    for noun, mine in operations_by_noun().items():
        blocks.append(f"## {noun}")
        for operation in mine:
            ask = operation.ask_type
            answer = write.written(operation.answer_type)
            blocks += [
                f"### {operation.name}",
                prose(operation),
                f"`from {ask.__module__} import {ask.__name__}` · needs `{operation.noun}:{operation.verb}`",
                "```python\n" + _signature(operation.name, write.fields(ask), f" -> {answer}") + "\n```",
            ]
            raised = list(entries(sections(operation).get("Raises", "")))
            if raised:
                blocks.append("\n".join(f"- [`{name}`](errors.md): {text}" for name, text in raised))
    return _page("Operations", *blocks)


def records_page() -> str:
    """Every record that goes over the wire."""
    write = Writer()
    blocks = ["What [operations](operations.md) take and answer: the same in Python, in JSON and on disk."]
    room = ""
    for kind in records():
        if room_of(kind) != room:
            room = room_of(kind)
            blocks.append(f"## {room}")
        blocks.append(f"### {write.name(kind)}")
        if prose(kind):
            blocks.append(prose(kind))
        fields = "\n".join(text + (f"  # {said}" if said else "") for text, said in write.fields(kind))
        if fields:
            blocks.append(f"```python\n{fields}\n```")
    return _page("Records", *blocks)


def settings_page() -> str:
    """Every setting."""
    rows = [(f"`{one.name}`", one.kind, f"`{_shown(one.default)}`", one.help) for one in SETTINGS]
    return _page(
        "Settings",
        "A setting is read from `HOME/airside.toml` (key `serving_port`), then from the environment "
        "(`AIRSIDE_SERVING_PORT`), then from the flag of `airside server` (`--serving-port`; a switch is `--runner` or "
        "`--no-runner`); the last one wins. `airside settings` shows each value and where it came from. A list is "
        "written with commas. An unknown key or a value of another kind ends the start with the reason.",
        _table(("setting", "kind", "default", "what it is"), rows),
        "`AIRSIDE_HOME` names the home (default `~/.airside`), `AIRSIDE_URL` and `AIRSIDE_TOKEN` the server that "
        "clients and commands talk to.",
        "## Flags and variables of `mlflow server`",
        "`airside server` takes them too ([how](../how-to/replace-mlflow-server.md)). A flag wins over its variable; a "
        "setting of ours, given in any way, wins over both.",
        _table(("flag", "variable", "here"), [_alias_row(alias) for alias in ALIASES]),
    )


def _alias_row(alias: Alias) -> tuple[str, str, str]:
    flags = ", ".join(f"`{flag}`" for flag in (alias.flag, alias.off, alias.short) if flag)
    return (flags, f"`{alias.variable}`" if alias.variable else "", alias.does)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) or "(none)" if isinstance(value, tuple) else str(value) or "(empty)"


def errors_page() -> str:
    """The tree of errors."""
    rows = []
    for depth, kind in errors():
        retry = f"{kind.retry_after_s} s" if kind.retry_after_s else ""
        rows.append(("&nbsp;&nbsp;" * depth + f"`{kind.__name__}`", str(kind.status), f"`{kind.code}`", retry,
                     first_line(kind)))  # fmt: skip
    return _page(
        "Errors",
        'Every error over HTTP is `{"error_code": CODE, "message": TEXT}`; the Python client raises the class of '
        "`airside.core.errors` that the code stands for. The text says what was asked, what was found and what to do. "
        "An indented class is a kind of the one above it. A class may carry an older word of MLflow's as its code.",
        _table(("class", "status", "code", "Retry-After", "its text when it has no other"), rows),
    )


def events_page() -> str:
    """Every kind of event."""
    write = Writer()
    follows: dict[str, list[str]] = {}
    for reaction in REACTIONS:
        follows.setdefault(reaction.event.NAME, []).append(f"`{reaction.name}`")
    blocks = [
        (
            "An operation announces its events in its own transaction; they are stored with what they tell and handled "
            "after the commit, at least once, by [reactions](reactions.md). *Topics* are the live streams "
            "(`GET /live?topics=…`) that tell of them."
        )
    ]
    room = ""
    for kind in events():
        if room_of(kind) != room:
            room = room_of(kind)
            blocks.append(f"## {room}")
        fields = write.fields(kind)
        blocks += [
            f"### {kind.NAME}",
            prose(kind),
            f"```python\n{_signature(kind.NAME, fields, '')}\n```",
            f"Topics: {_topics(kind) or 'none'}. Followed by: {', '.join(follows.get(kind.NAME, ['nothing']))}.",
        ]
    return _page("Events", *blocks)


def _topics(kind: type[Event]) -> str:
    """The topics of an event whose fields are their own names."""
    values = {field.name: f"<{field.name}>" for field in msgspec.structs.fields(kind)}
    return ", ".join(f"`{topic}`" for topic in kind(**values).topics())


def reactions_page() -> str:
    """What follows from events, and what happens by the clock."""
    reactions = [(f"`{one.name}`", f"[`{one.event.NAME}`](events.md#{_anchor(one.event.NAME)})",
                  first_line(one.handle)) for one in REACTIONS]  # fmt: skip
    loops = [(f"`{one.name}`", f"{one.every_s:g} s", first_line(one.round)) for one in LOOPS]
    return _page(
        "Reactions and loops",
        "A reaction follows an event, after its commit, in order, at least once; one that fails is tried five times "
        "with growing pauses, then the event is put aside (`airside reactions failures` lists those). A loop runs by "
        "the clock. Where several servers share a database, a lease decides which of them does it.",
        "## Reactions",
        _table(("reaction", "after", "what it does"), reactions),
        "## Loops",
        _table(("loop", "every", "what a round does"), loops),
    )


def commands_page() -> str:
    """Every command."""
    blocks = [
        "Exit status: 0 done; 1 failed, and said why; 2 wrong use. Every command has `--help`.",
        "## Written by hand",
    ]
    for name in COMMANDS:
        blocks += _described(f"airside {name}", load(COMMANDS[name]))
    blocks += [
        "## Made from the operations",
        "A field that an ask requires is an argument, any other an option of its name; what is not a plain value is "
        "given as JSON. Each takes "
        + ", ".join(f"`{make().opts[0]}`" for make in PLATFORM_OPTIONS)
        + ". Fields and answers: [operations](operations.md).",
    ]
    rows = []
    for noun in nouns():
        group = group_of(noun)
        for verb, command in sorted(group.commands.items()) if group else ():
            arguments = " ".join(_metavar(p) for p in command.params if isinstance(p, click.Argument))
            rows.append((f"`airside {noun} {verb}{' ' + arguments if arguments else ''}`", command.short_help or ""))
    return _page("Commands", *blocks, _table(("command", "what it does"), rows))


def _metavar(argument: click.Argument) -> str:
    return (argument.name or "").upper() + ("..." if argument.nargs == -1 else "")


def _described(name: str, command: click.Command) -> list[str]:
    if isinstance(command, click.Group):
        return [block for verb, one in command.commands.items() for block in _described(f"{name} {verb}", one)]
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    if name == "airside server":
        text = f"{command.help} Each [setting](settings.md) is an option."
        options = [p for p in options if p.name == "home"]
    else:
        text = command.help or ""
    rows = []
    for option in options:
        shown = option.get_help_record(context)
        if shown is not None:
            rows.append((f"`{shown[0]}`", " ".join(shown[1].replace(DEFAULT_HOME, "~/.airside").split())))
    blocks = [f"### {name}", text.replace(DEFAULT_HOME, "~/.airside"), f"```console\n$ {name} {usage}\n```"]
    return [*blocks, _table(("option", "what it is"), rows)] if rows else blocks


def rooms_page() -> str:
    """Every room on its floor, with what its folders hold; every noun with the files of its verbs."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    floors = [floor.split(" | ") for floor in reversed(contract["layers"]) if floor != "__main__"]
    blocks = [
        (
            "From the ground up: a room imports only from floors below its own, never from a sister on the same floor "
            "(`make check` proves it). How the rooms work together: [architecture](../explanation/architecture.md)."
        )
    ]
    for number, floor in enumerate(floors):
        for room in floor:
            blocks += [f"## {room}", f"Floor {number}. {prose(importlib.import_module(f'airside.{room}'))}"]
            folders = [(f"`{room}/{name}/`", first_line(importlib.import_module(f"airside.{room}.{name}")))
                       for name in _folders(room)]  # fmt: skip
            blocks += [_table(("folder", "what it holds"), folders)] if folders else []
    verbs = [(f"[`{noun}`](operations.md#{_anchor(noun)})", ", ".join(f"`{path}`" for path in _files(some)))
             for noun, some in sorted(operations_by_noun().items())]  # fmt: skip
    return _page("Rooms", *blocks, "## Where the verbs of a noun stand", _table(("noun", "files"), verbs))


def _folders(room: str) -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "src" / "airside" / room).glob("*/__init__.py"))


def _files(operations: Sequence[AnyOperation]) -> list[str]:
    """The files in which operations are declared, below `src/airside`."""
    modules = dict.fromkeys(operation.function.__module__ for operation in operations)
    return [f"{module.removeprefix('airside.').replace('.', '/')}.py" for module in modules]


PAGES = {
    "operations.md": operations_page,
    "records.md": records_page,
    "settings.md": settings_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "reactions.md": reactions_page,
    "commands.md": commands_page,
    "rooms.md": rooms_page,
}


def main() -> None:
    """Write every page."""
    TARGET.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (TARGET / name).write_text(make(), "utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
