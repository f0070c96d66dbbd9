"""One writer: shared commits, answers only after them, and nobody pays for a neighbour's mistake."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from airside.core.errors import AlreadyExists, DiskFull, Internal, Invalid, Overloaded, Unavailable
from airside.core.operation import Transaction
from airside.store.sql import writer as writing
from airside.store.sql.readers import Readers
from airside.store.sql.session import ConnectionLost, Database, Session
from airside.store.sql.writer import Writer, into

PUT = "INSERT INTO reaction_cursor (reaction, seq) VALUES (?, ?)"
GET = "SELECT reaction, seq FROM reaction_cursor ORDER BY seq, reaction"


def put(name: str, seq: int = 0) -> Callable[[Transaction], int]:
    return lambda tx: tx.run(PUT, (name, seq))


def failing(error: BaseException, name: str = "never") -> Callable[[Transaction], None]:
    def work(tx: Transaction) -> None:
        tx.run(PUT, (name, 0))
        raise error

    return work


class Group:
    """Works that are all run in one transaction: the writer is held until they wait."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._go = threading.Event()
        self.futures: list[Future[Any]] = [Future()]
        held = threading.Event()

        def hold(_tx: Transaction) -> None:
            held.set()
            self._go.wait()

        writer.submit(hold, into(self.futures[0]))
        held.wait()

    def add(self, work: Callable[[Transaction], Any], *, is_repeatable: bool = False) -> "Future[Any]":
        future: Future[Any] = Future()
        self.writer.submit(work, into(future), is_repeatable=is_repeatable)
        self.futures.append(future)
        return future

    def run(self) -> list[BaseException | None]:
        self._go.set()
        return [future.exception(timeout=30) for future in self.futures]


@pytest.fixture
def group(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> Group:
    monkeypatch.setattr(writing, "GROUP_BUDGET_S", 3600.0)
    return Group(writer)


def test_what_many_threads_write_is_all_there(writer: Writer, readers: Readers) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: writer.call(put(f"r{number}", number)), range(200)))
    assert [seq for _, seq in readers.call(lambda tx: tx.all(GET))] == list(range(200))


def test_a_failing_work_is_undone_alone(group: Group, readers: Readers) -> None:
    group.add(put("a", 1))
    mistake = Invalid("mine")
    group.add(failing(mistake))
    group.add(put("a", 1))
    group.add(put("b", 2))
    errors = group.run()
    assert (errors[2], type(errors[3]), errors[4]) == (mistake, AlreadyExists, None)
    assert readers.call(lambda tx: tx.all(GET)) == [("a", 1), ("b", 2)]


def test_works_run_in_the_order_of_their_submission(group: Group) -> None:
    ran: list[int] = []
    for number in range(50):
        group.add(lambda _tx, number=number: ran.append(number))  # type: ignore[misc]
    group.run()
    assert ran == list(range(50))


def test_a_group_is_answered_only_after_its_commit(database: Database) -> None:
    seen: list[Any] = []
    look = database.open(readonly=True)
    answers: list[Future[int]] = []

    def before_commit(_session: Session) -> None:
        look.begin()
        seen.append((look.all(GET), [answer.done() for answer in answers]))
        look.commit()

    writer = Writer(database, before_commit=before_commit)
    answers.append(Future())
    writer.submit(put("a", 1), into(answers[0]))
    answers[0].result(timeout=30)
    look.begin()
    seen.append(look.all(GET))
    look.close()
    writer.close()
    assert seen == [([], [False]), [("a", 1)]]


def test_one_commit_serves_all_that_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GROUP_BUDGET_S", 3600.0)
    commits: list[int] = []
    writer = Writer(database, before_commit=lambda _session: commits.append(1))
    group = Group(writer)
    for number in range(100):
        group.add(put(f"r{number}"))
    group.run()
    writer.close()
    assert len(commits) == 1


def test_a_long_group_ends_when_its_time_is_over(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GROUP_BUDGET_S", -1.0)
    commits: list[int] = []
    writer = Writer(database, before_commit=lambda _session: commits.append(1))
    group = Group(writer)
    group.add(put("a"))
    group.add(put("b"))
    group.run()
    writer.close()
    assert len(commits) == 3


def test_too_much_waiting_is_refused_at_once(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MAX_WAITING", 3)
    waiting = [group.add(put(f"r{number}")) for number in range(3)]
    assert group.writer.waiting == 3
    with pytest.raises(Overloaded):
        group.add(put("more"))
    group.run()
    assert [future.result() for future in waiting] == [1, 1, 1]
    assert group.writer.call(put("more")) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DiskFull(), DiskFull),
        (ConnectionLost("gone"), Unavailable),
        (RuntimeError("secret"), Internal),
        (KeyboardInterrupt(), Internal),
    ],
)
def test_a_commit_that_fails_fails_its_group_and_the_next_works(
    database: Database, readers: Readers, monkeypatch: pytest.MonkeyPatch, error: BaseException, told: type[Exception]
) -> None:
    monkeypatch.setattr(writing, "GROUP_BUDGET_S", 3600.0)
    mistakes: Iterator[BaseException | None] = iter([error, None])

    def before_commit(_session: Session) -> None:
        if (mistake := next(mistakes)) is not None:
            raise mistake

    writer = Writer(database, before_commit=before_commit)
    group = Group(writer)
    group.add(put("a"))
    own = Invalid("mine")
    group.add(failing(own))
    errors = group.run()
    assert [type(one) for one in errors] == [told, told, Invalid]
    assert "secret" not in str(errors[0])
    assert writer.call(put("b")) == 1
    assert readers.call(lambda tx: tx.all(GET)) == [("b", 0)]
    writer.close()


def test_a_connection_that_breaks_in_a_work_fails_the_group_and_is_opened_again(group: Group, readers: Readers) -> None:
    group.add(put("a"))
    group.add(failing(ConnectionLost("gone")))
    assert {type(error) for error in group.run()} == {Unavailable}
    assert group.writer.call(put("b")) == 1
    assert readers.call(lambda tx: tx.all(GET)) == [("b", 0)]


def test_a_database_that_cannot_be_opened_again_is_told_until_it_can(
    group: Group, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*, readonly: bool) -> Session:
        raise Unavailable("away")

    group.add(failing(ConnectionLost("gone")))
    with monkeypatch.context() as broken:
        broken.setattr(database, "open", away)
        group.run()
        with pytest.raises(Unavailable, match="away"):
            group.writer.call(put("a"))
    assert group.writer.call(put("a")) == 1


def test_hooks_run_after_the_commit_and_only_for_what_was_kept(database: Database) -> None:
    said: list[str] = []
    writer = Writer(database, before_commit=lambda _session: said.append("commit"))

    def kept(tx: Transaction) -> None:
        tx.on_commit(lambda: said.append("kept"))

    def undone(tx: Transaction) -> None:
        tx.on_commit(lambda: said.append("undone"))
        raise Invalid

    writer.call(kept)
    with pytest.raises(Invalid):
        writer.call(undone)
    writer.close()
    assert said == ["commit", "kept", "commit"]


def test_no_hook_runs_when_the_commit_failed(database: Database) -> None:
    said: list[str] = []

    def before_commit(_session: Session) -> None:
        raise DiskFull

    writer = Writer(database, before_commit=before_commit)
    with pytest.raises(DiskFull):
        writer.call(lambda tx: tx.on_commit(lambda: said.append("never")))
    writer.close()
    assert said == []


def test_a_listener_that_fails_keeps_nobody_from_hearing(writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    def bad(*_facts: Any) -> None:
        raise RuntimeError("listener")

    writer.submit(lambda tx: tx.on_commit(bad), bad)
    assert writer.call(put("a")) == 1
    assert [record.message for record in caplog.records] == ["writer.listener_failed"] * 2


def test_closing_commits_what_waits_and_refuses_what_comes(writer: Writer, readers: Readers) -> None:
    group = Group(writer)
    waiting = group.add(put("a"))
    closing = threading.Thread(target=writer.close)
    group._go.set()
    closing.start()
    closing.join(timeout=30)
    assert waiting.result(timeout=30) == 1
    with pytest.raises(Unavailable, match="stopping"):
        writer.submit(put("b"), into(Future()))
    assert readers.call(lambda tx: tx.all(GET)) == [("a", 0)]


def test_readers_see_all_that_was_acknowledged(writer: Writer, readers: Readers) -> None:
    for number in range(20):
        writer.call(put(f"r{number}", number))
        assert readers.call(lambda tx: tx.one("SELECT COUNT(*) FROM reaction_cursor")) == (number + 1,)


def test_a_reader_goes_on_behind_any_mistake(readers: Readers) -> None:
    for error, told in [(Invalid("x"), Invalid), (RuntimeError("y"), RuntimeError), (ConnectionLost(), Unavailable)]:
        with pytest.raises(told):
            readers.call(lambda _tx, error=error: (_ for _ in ()).throw(error))  # type: ignore[misc]
    assert readers.call(lambda tx: tx.all(GET)) == []


def test_a_busy_or_closed_reader_refuses(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    readers = Readers(database, threads=1)
    go, held, answer = threading.Event(), threading.Event(), Future[Any]()
    readers.submit(lambda _tx: (held.set(), go.wait()), into(answer))
    held.wait()
    monkeypatch.setattr("airside.store.sql.readers.MAX_WAITING", 0)
    with pytest.raises(Overloaded):
        readers.call(lambda tx: tx.all(GET))
    go.set()
    readers.close()
    assert answer.done()
    with pytest.raises(Unavailable, match="stopping"):
        readers.call(lambda tx: tx.all(GET))


def test_a_log_of_sqlite_that_is_never_copied_whole_is_begun_anew_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airside.store.sql import sqlite
    from airside.store.sql.bootstrap import prepare

    monkeypatch.setattr(sqlite, "RESTART_PAGES", 1)
    database = sqlite.SqliteDatabase(tmp_path / "a.db")
    prepare(database)
    session = database.open(readonly=False)

    def write(number: int, *, before_commit: Callable[[], None] = lambda: None) -> int:
        session.begin()
        session.many(PUT, [(f"r{number}-{row}", row) for row in range(500)])
        before_commit()
        session.commit()
        database.between_groups(session)
        return (tmp_path / "a.db-wal").stat().st_size

    def pages_in_log() -> int:
        row = session.one("PRAGMA wal_checkpoint(PASSIVE)")
        return int(row[1]) if row else 0

    write(0)
    one_write = pages_in_log()
    write(1)
    size = write(2, before_commit=database.checkpoint)  # copies what is committed, and tells how long the log is
    assert write(3) == size
    assert pages_in_log() < 2 * one_write
    assert session.one("SELECT COUNT(*) FROM reaction_cursor") == (2000,)
    session.close()


def test_an_idle_database_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airside.store.sql import sqlite

    database = sqlite.SqliteDatabase(tmp_path / "a.db")
    monkeypatch.setattr("sqlite3.connect", lambda *_args, **_options: pytest.fail("looked"))
    database.checkpoint()
