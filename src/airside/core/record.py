"""The noun: one frozen, keyword-only record, the same in Python, in JSON, in SQL and in the tests."""

from typing import TYPE_CHECKING, Any, Generic, TypeVar, dataclass_transform

import msgspec

if TYPE_CHECKING:
    from msgspec import StructMeta as _StructMeta
else:
    _StructMeta = type(msgspec.Struct)

AnswerT_co = TypeVar("AnswerT_co", covariant=True)


class _RecordMeta(_StructMeta):
    """Makes `frozen` and `kw_only` the default: msgspec does not inherit `kw_only`."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        config.setdefault("frozen", True)
        config.setdefault("kw_only", True)
        return super().__new__(mcs, name, bases, namespace, **config)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, metaclass=_RecordMeta, frozen=True, kw_only=True):
    """A noun of the system. Compared by value, never changed in place."""


class Ask(Record, Generic[AnswerT_co], forbid_unknown_fields=True):
    """What a caller asks of an operation. Its parameter is the type of the answer.

    The same record is the HTTP body, the argument of the client and the options of the command line.
    """


class Done(Record):
    """The answer of an operation that has nothing to tell but that it was done."""


DONE = Done()
