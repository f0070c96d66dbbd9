"""The verb: declared once; route, client, command line, permission, audit and reference follow from it.

class CreateModel(Ask[RegisteredModel]):
    name: ModelName

@operation("models.create", needs="model:write")
def create_model(ctx: Context, ask: CreateModel) -> RegisteredModel: ...
"""

import typing
from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

from airside.core.clock import Clock, RandomBytes
from airside.core.event import Event
from airside.core.ids import new_hex, new_id
from airside.core.record import Ask, Record

Row = tuple[Any, ...]
Dialect = Literal["sqlite", "postgresql"]
AuditKind = Literal["change", "measure", "read"]
"""How the audit log treats an operation: a change has a record each, measurements and reads are counted."""


class Transaction(Protocol):
    """One transaction, as a room's queries see it. Not thread-safe; gone when the operation returns.

    SQL is the text that both dialects share, with `?` for values. A text holds no literal `?` or `%`.
    """

    @property
    def dialect(self) -> Dialect:
        """Which database it is."""

    @property
    def is_reading(self) -> bool:
        """Whether it only reads: then all that it sees is committed, and of one moment."""

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query."""

    def one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""

    def run(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Execute; the number of rows that it touched."""

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute once for each row."""

    def insert(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Insert one row that is certain to be new into a table with a serial `id`; its id."""

    @property
    def seen(self) -> set[tuple[str, int]]:
        """What holds in this transaction and need not be looked at again: a word and a number.

        Empty where anything may have been undone. Whoever makes an entry untrue discards it.
        """

    def on_commit(self, then: Callable[[], None]) -> None:
        """Call when, and only when, what this operation wrote is durable. For caches in memory."""


class Actor(Record):
    """Who asks."""

    name: str
    role: str = "viewer"
    token_id: str = ""


LOCAL = Actor(name="local", role="owner")
"""Whoever reaches a server that listens on loopback alone, or opens a home in-process."""
SERVICE = Actor(name="airside", role="service")
"""The platform itself: reactions and background loops."""


class Context:
    """What an operation may use: the transaction, the time, the caller, and `announce`.

    `prepared` is what the operation's preparation handed over. `memory` is a place for bounded caches of the rooms,
    one for each open platform; it outlives the operation, so enter nothing that the transaction may still undo
    except through `tx.on_commit`.
    """

    __slots__ = ("actor", "announced", "clock", "memory", "prepared", "random", "tx")

    def __init__(
        self,
        tx: Transaction,
        clock: Clock,
        random: RandomBytes,
        actor: Actor,
        memory: dict[str, Any],
        *,
        prepared: Any = None,
    ) -> None:
        self.tx = tx
        self.clock = clock
        self.random = random
        self.actor = actor
        self.memory = memory
        self.prepared = prepared
        self.announced: list[Event] = []

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self.clock.now_ms()

    def new_id(self, kind: str) -> str:
        """A new id of a kind of `core.ids.PREFIXES`."""
        return new_id(kind, self.clock.now_ms(), self.random)

    def new_hex(self) -> str:
        """A new id in MLflow's form: 32 hexadecimal digits."""
        return new_hex(self.clock.now_ms(), self.random)

    def announce(self, event: Event) -> None:
        """Tell what happened. Stored in this transaction, handled after its commit."""
        self.announced.append(event)


class Services(Protocol):
    """What a preparation may use: it runs before the transaction, on a thread that may wait."""

    @property
    def blobs(self) -> Any:
        """The blob store (`airside.store.blobs.port.BlobStore`)."""

    @property
    def artifacts(self) -> Any:
        """The artifact store (`airside.store.artifacts.port.ArtifactStore`)."""

    @property
    def roots(self) -> Any:
        """From addresses to stores (`airside.store.artifacts.roots.Roots`)."""

    @property
    def home(self) -> Any:
        """The home folder (`pathlib.Path`)."""

    @property
    def settings(self) -> Any:
        """What the operator set (`airside.core.settings.Settings`)."""

    def read(self, query: Callable[[Context], Any]) -> Any:
        """Run a query in a read transaction of its own."""


A = TypeVar("A", bound=Ask[Any])
R = TypeVar("R")


class Operation(Generic[A, R]):
    """A declared verb. Calling it runs its function with the caller's own context: same transaction, one audit record.

    Attributes:
        name: `<noun>.<verb>`; the route is `POST /api/v1/<name>`.
        noun, verb: the permission it needs. The verb `read` makes it a query, run on a reader.
        ask_type, answer_type: the records of its request and its answer.
        audit: how the audit log treats it.
        prepare: `(services, ask) -> anything`, run before the transaction; its result is `ctx.prepared`.
        rest: `(ask, answer) -> another ask`, or None: what is still to be done in a transaction of its own, after the
            commit and before the caller is answered. A long change is many short ones this way.
        glance: `(ctx, ask) -> the answer`, or None: a query that is answered from memory, after some look-ups by key
            or along an index that say that it still holds. It may be run where nothing may wait.
    """

    def __init__(
        self,
        name: str,
        needs: str,
        function: Callable[[Context, A], R],
        *,
        audit: AuditKind,
        prepare: Callable[[Services, A], Any] | None,
        rest: Callable[[A, R], Ask[Any] | None] | None = None,
    ) -> None:
        self.name = name
        self.noun, _, self.verb = needs.partition(":")
        self.function = function
        self.audit: AuditKind = audit
        self.prepare = prepare
        self.rest = rest
        self.glance: Callable[[Context, A], R | None] | None = None
        # The annotations are types already; typing's and inspect's ways to them would cost the start 0.1 s.
        _, self.ask_type, self.answer_type = typing.cast(
            "tuple[type[Context], type[A], type[R]]", tuple(function.__annotations__.values())
        )
        self.summary = (function.__doc__ or "").strip().partition("\n")[0]
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__module__ = function.__module__

    @property
    def is_read(self) -> bool:
        """Whether it only reads."""
        return self.verb == "read"

    @property
    def is_repeatable(self) -> bool:
        """Whether the writer may run it twice in one transaction, the first time undone: it only measures, often."""
        return self.audit == "measure" and self.prepare is None

    @property
    def is_keyed(self) -> bool:
        """Whether a repeat must carry its first try's key, so that it does not act twice: a change, a new thing."""
        return not self.is_read and (self.audit == "change" or self.name.endswith(".create"))

    def __call__(self, ctx: Context, ask: A) -> R:
        """Run it in the transaction of `ctx`: as a part of another operation."""
        return self.function(ctx, ask)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


AnyOperation = Operation[Any, Any]
_BY_ASK: dict[type[Any], AnyOperation] = {}


def operation(
    name: str,
    *,
    needs: str,
    audit: AuditKind | None = None,
    prepare: Callable[[Services, Any], Any] | None = None,
    rest: Callable[[Any, Any], Ask[Any] | None] | None = None,
    glance: Callable[[Context, Any], Any] | None = None,
) -> Callable[[Callable[[Context, A], R]], Operation[A, R]]:
    """Declare a function `(ctx, ask) -> answer` as an operation.

    Args:
        name: `<noun>.<verb>`, e.g. `runs.log_batch`.
        needs: the permission, `<noun>:<verb>`; the verb `read` makes it a query.
        audit: `change` (default of writes), `measure` (counted only), `read` (default of reads).
        prepare: what must ask the outside, or compute long, before the transaction.
        rest: what is still to be done in further transactions before the caller is answered.
        glance: the answer of a query from memory, None when it is not there.
    """

    def declare(function: Callable[[Context, A], R]) -> Operation[A, R]:
        kind: AuditKind = audit or ("read" if needs.endswith(":read") else "change")
        declared = Operation(name, needs, function, audit=kind, prepare=prepare, rest=rest)
        declared.glance = glance
        _BY_ASK[declared.ask_type] = declared
        return declared

    return declare


def operation_of(ask_type: type[Any]) -> AnyOperation:
    """The operation that an ask belongs to; an ask and its operation stand in one module."""
    return _BY_ASK[ask_type]
