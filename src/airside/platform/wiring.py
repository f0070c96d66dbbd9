"""The platform: the rooms wired together, and the one way in.

    platform = Platform.open(Path("home"))
    run = platform.call(LOCAL, CreateRun(experiment_id="0"))

`call` authorises, runs the operation in one transaction, stores the events that it announces and the audit record
in the same transaction, and answers after the commit.
"""

import hashlib
import typing
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from airside.core import ids
from airside.core.clock import Clock, RandomBytes, system_random
from airside.core.errors import AirsideError, Denied, Unavailable
from airside.core.event import Event
from airside.core.operation import SERVICE, Actor, AnyOperation, Context, Transaction, operation_of
from airside.core.record import Ask
from airside.core.settings import Settings
from airside.platform import repeat
from airside.platform.access.rights import authorise
from airside.platform.home import Home
from airside.platform.hub import Hub
from airside.platform.operations import OPERATIONS
from airside.platform.places import places_of
from airside.platform.seeds import SEEDS
from airside.registry.keeping import needed
from airside.store import outbox
from airside.store.artifacts.port import ArtifactStore
from airside.store.artifacts.roots import Roots
from airside.store.audit import AuditRecord, Chain
from airside.store.blobs.local import LocalBlobs
from airside.store.blobs.port import BlobStore
from airside.store.sql.bootstrap import prepare
from airside.store.sql.database import database_of
from airside.store.sql.readers import Readers
from airside.store.sql.session import Session
from airside.store.sql.writer import Reply, Writer, into
from airside.tracking.rules import Limits
from airside.tracking.trash.operations import KEEPER

T = TypeVar("T")
MAX_RESOURCE = 1000
_ID_TYPES = {kind for kind in vars(ids).values() if isinstance(kind, typing.NewType)}


class Platform:
    """An open home: its stores, its writer and readers, and the table of operations.

    Thread safety: every method from any thread. One process owns a home; PostgreSQL is shared by any number.
    """

    operations = OPERATIONS

    def __init__(self, home: Home, settings: Settings, clock: Clock, random: RandomBytes) -> None:
        self.path = home.path
        self.settings = settings
        self.clock = clock
        self.random = random
        self.hub = Hub()
        self._home = home
        self.blobs: BlobStore = LocalBlobs(Path(settings["blobs"] or home.path / "blobs"))
        places = places_of(settings, home.path)
        self.artifacts: ArtifactStore = places.proxied
        self.roots: Roots = places.roots
        self.memory: dict[str, Any] = {
            "default_artifact_root": places.default_root,
            "tracking_limits": Limits(
                truncates=settings["truncate_long_values"],
                location=settings["artifact_location_limit"],
                schemes=frozenset(settings["location_schemes"]),
                own_root=places.default_root,
            ),
            "version_source_pattern": settings["version_source_pattern"],
            KEEPER: needed,
            "run_memory_bytes": settings["run_memory_mib"] << 20,
        }
        self.database = database_of(settings["database"], home.path, synchronous=settings["synchronous"])
        prepare(self.database)
        self._chain = Chain("main" if self.database.dialect == "sqlite" else random(8).hex())
        self._writer = Writer(self.database, before_commit=self._write_notes)
        self._readers = Readers(self.database, threads=settings["reader_threads"])
        self._preparers = ThreadPoolExecutor(4, thread_name_prefix="airside-prepare")
        try:
            for seed in SEEDS:
                self.change(seed)
        except BaseException:
            self._end()
            raise

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        settings: Settings | None = None,
        flags: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        random: RandomBytes = system_random,
        owned: Home | None = None,
    ) -> "Platform":
        """Open a home, making it when it is not there.

        Args:
            home: its folder.
            settings: what to go by; read from the home, the environment and the flags when it is left out.
            flags: settings by name that win over the others.
            clock: the time; tests pass their own.
            random: chance; tests pass their own.
            owned: the home, if this process owns it already.

        Raises:
            Conflict: another process owns it.
            Unavailable: it, or its database, cannot be opened; says why and what to do.
            Invalid: a setting is wrong.
        """
        path = home.expanduser().resolve()
        chosen = settings or Settings.load(path, flags=flags)
        owned = owned or Home(path)
        try:
            return cls(owned, chosen, clock or Clock(), random)
        except OSError as error:
            owned.close()
            raise Unavailable(
                f"The stores of the home {path} cannot be opened: {error}. Mend the rights of the folder, or name "
                "another one: airside settings tells where each setting comes from."
            ) from error
        except BaseException:
            owned.close()
            raise

    @property
    def home(self) -> Path:
        """The home's folder."""
        return self.path

    def announce(self, **facts: Any) -> None:
        """Tell other processes on this machine where the server of this home answers."""
        self._home.announce(**facts)

    def call(self, actor: Actor, ask: Ask[T], *, idempotency_key: str = "") -> T:
        """Do what is asked, and answer when it is durable.

        Raises:
            AirsideError: what the operation raises, `Denied`, or `Overloaded`.
        """
        future: Future[T] = Future()
        self.submit(actor, ask, into(future), idempotency_key=idempotency_key)
        return future.result()

    def submit(self, actor: Actor, ask: Ask[Any], reply: Reply, *, idempotency_key: str = "") -> None:
        """The same without waiting: `reply(answer, error)` is called on a thread of the platform's; must not block.

        Raises:
            Denied: the actor may not. Overloaded: too much waits.
        """
        operation = operation_of(type(ask))
        try:
            authorise(actor, operation.noun, operation.verb)
        except Exception:
            self._writer.submit(lambda tx: self._note(tx, operation, actor, ask, "denied"), _ignore)
            raise
        if operation.prepare is None:
            self._start(operation, actor, ask, None, reply, idempotency_key)
        else:
            self._preparers.submit(self._prepared, operation, actor, ask, reply, idempotency_key)

    def glance(self, actor: Actor, ask: Ask[T]) -> T | None:
        """The answer to a query that needs no thread and no waiting, because it is in memory; else None: submit it.

        Who may not ask is answered None, too: refused, and noted, is what is submitted.
        """
        operation = operation_of(type(ask))
        look = operation.glance
        if look is None:
            return None
        try:
            authorise(actor, operation.noun, operation.verb)
        except Denied:
            return None
        found: T | None = self._readers.glance(lambda tx: look(self._context(tx, actor, None), ask))
        return found

    def read(self, query: Callable[[Context], T], *, actor: Actor | None = None) -> T:
        """Run a query of the platform's own in a read transaction."""
        return self._readers.call(lambda tx: query(self._context(tx, actor or SERVICE, None)))

    def change(self, change: Callable[[Context], T]) -> T:
        """Run a change of the platform's own (leases, cursors, seeds), on the writer, with its events stored."""
        return self._writer.call(lambda tx: self._run(tx, change, SERVICE, None))

    @property
    def waiting(self) -> int:
        """How many writes wait: for the metrics."""
        return self._writer.waiting

    def close(self) -> None:
        """Commit what waits and give the home up."""
        self._end()
        self._home.close()

    def _end(self) -> None:
        self._preparers.shutdown(wait=True)
        self._writer.close()
        self._readers.close()

    def _prepared(
        self, operation: AnyOperation, actor: Actor, ask: Ask[Any], reply: Reply, idempotency_key: str
    ) -> None:
        try:
            value = operation.prepare(self, ask) if operation.prepare is not None else None
            self._start(operation, actor, ask, value, reply, idempotency_key)
        except BaseException as error:  # noqa: BLE001 -- whoever asked gets it
            reply(None, error)

    def _start(
        self, operation: AnyOperation, actor: Actor, ask: Ask[Any], prepared: Any, reply: Reply, key: str
    ) -> None:
        if operation.is_read:
            self._readers.submit(lambda tx: operation.function(self._context(tx, actor, prepared), ask), reply)
            return

        def work(tx: Transaction) -> Any:
            digest = ""
            if key:
                digest = _digest(operation.name, ask)
                saved = repeat.saved_answer(tx, operation, actor, key, digest)
                if saved is not None:
                    return saved
            answer = self._run(tx, lambda ctx: operation.function(ctx, ask), actor, prepared)
            if operation.audit == "change":
                self._note(tx, operation, actor, ask, "done")
            if key:
                repeat.save_answer(tx, actor, key, digest, answer, now_ms=self.clock.now_ms())
            return answer

        told = reply if operation.rest is None else self._with_rest(operation, actor, ask, reply)
        self._writer.submit(work, told, is_repeatable=operation.is_repeatable)

    def _with_rest(self, operation: AnyOperation, actor: Actor, ask: Ask[Any], reply: Reply) -> Reply:
        """A reply that is given when what the operation left to be done is done, too."""

        def then(value: Any, error: BaseException | None) -> None:
            following = None if error is not None or operation.rest is None else operation.rest(ask, value)
            if following is None:
                reply(value, error)
                return

            def after(_rest: Any, failure: BaseException | None) -> None:
                reply(None if failure else value, failure)

            try:
                self._start(operation_of(type(following)), actor, following, None, after, "")
            except AirsideError as refused:
                reply(None, refused)

        return then

    def _run(self, tx: Transaction, function: Callable[[Context], T], actor: Actor, prepared: Any) -> T:
        ctx = self._context(tx, actor, prepared)
        answer = function(ctx)
        if ctx.announced:
            events: tuple[Event, ...] = tuple(ctx.announced)
            typing.cast("Session", tx).notes.extend(
                outbox.new_event(event, actor=actor.name, at_ms=self.clock.now_ms()) for event in events
            )
            tx.on_commit(lambda: self.hub.tell(events))
        return answer

    def _context(self, tx: Transaction, actor: Actor, prepared: Any) -> Context:
        return Context(tx, self.clock, self.random, actor, self.memory, prepared=prepared)

    def _note(self, tx: Transaction, operation: AnyOperation, actor: Actor, ask: Ask[Any], outcome: str) -> None:
        typing.cast("Session", tx).notes.append(
            AuditRecord(
                at_ms=self.clock.now_ms(),
                actor=actor.name,
                token_id=actor.token_id,
                operation=operation.name,
                resource=_storable(resource_of(ask)),
                outcome=outcome,
                digest=_digest(operation.name, ask),
            )
        )

    def _write_notes(self, session: Session) -> None:
        """What the works of a group left: audit records and events, stored in its transaction at its end."""
        records = [note for note in session.notes if isinstance(note, AuditRecord)]
        events = [note for note in session.notes if isinstance(note, outbox.NewEvent)]
        if records:
            self._chain.append(session, records)
        if events:
            outbox.append(session, events)


def _digest(name: str, ask: Ask[Any]) -> str:
    return hashlib.sha256(name.encode() + b"\0" + msgspec.json.encode(ask)).hexdigest()


def _storable(text: str) -> str:
    r"""The text as any database takes it: what a denied caller sent must not fail the group that it is noted in.

    >>> _storable("a\0b")
    'a?b'
    """
    return text[:MAX_RESOURCE].encode(errors="replace").decode().replace("\0", "?")


@lru_cache(maxsize=1024)
def _id_fields(ask_type: type[Ask[Any]]) -> tuple[str, ...]:
    hints = typing.get_type_hints(ask_type)
    return tuple(name for name in ask_type.__struct_fields__ if hints.get(name) in _ID_TYPES)


def resource_of(ask: Ask[Any]) -> str:
    """What an ask is about: the values of its fields that are typed ids."""
    return "/".join(str(getattr(ask, name)) for name in _id_fields(type(ask)))


def _ignore(_value: Any, _error: BaseException | None) -> None:
    """Nobody waits."""
