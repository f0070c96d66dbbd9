"""The numbers behind the names of metrics, parameters and tags."""

from collections.abc import Iterable

from airside.core.operation import Context
from airside.tracking.memory import memory_of
from airside.tracking.queries.rows import certain

_FIND = "SELECT id FROM key_name WHERE name = ?"
_NAME = "SELECT name FROM key_name WHERE id = ?"
_ADD = "INSERT INTO key_name (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id"


def known_key(ctx: Context, name: str) -> int | None:
    """The number of a name, None when nothing was ever logged under it."""
    memory = memory_of(ctx)
    number = memory.key_numbers.get(name)
    if number is None:
        row = ctx.tx.one(_FIND, (name,))
        number = row[0] if row else None
    return number


def key_of(ctx: Context, name: str) -> int:
    """The number of a name, given to it now if it is new. For writers."""
    memory = memory_of(ctx)
    number = memory.key_numbers.get(name)
    if number is not None:
        return number
    found: int = certain(ctx.tx.one(_FIND, (name,)) or ctx.tx.one(_ADD, (name,)))[0]
    ctx.tx.on_commit(lambda: memory.learn_key(name, found))
    return found


def keys_of(ctx: Context, names: Iterable[str]) -> dict[str, int]:
    """The numbers of some names."""
    return {name: key_of(ctx, name) for name in dict.fromkeys(names)}


def name_of(ctx: Context, number: int) -> str:
    """The name behind a number. For readers."""
    memory = memory_of(ctx)
    name = memory.key_names.get(number)
    if name is None:
        name = str(certain(ctx.tx.one(_NAME, (number,)))[0])
        memory.learn_key(name, number)
    return name
