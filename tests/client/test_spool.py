"""The spool: what is put there is whole, in order, and sent once by whoever may."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.client.recording import spool
from airside.client.recording.delivery import Delivery
from airside.client.recording.entries import Entry, Question, Roots, Upload
from airside.client.recording.sending import send_left_over
from airside.client.recording.spool import Parcel, left_over, shelf_of, state_of
from airside.client.recording.telling import Troubles
from airside.client.transport import Client
from airside.core.errors import Internal, Invalid, Unauthenticated, Unavailable
from airside.core.ids import RunId
from airside.tracking.operations.logging import LogBatch
from airside.tracking.records import Tag

ADDRESS = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRSIDE_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setattr(spool, "SPARE_BYTES", 0)
    return tmp_path / "spool"


class Server:
    """A server that notes what it gets, and fails as it is told."""

    url = ADDRESS
    home = None

    def __init__(self) -> None:
        self.got: list[str] = []
        self.keys: list[str] = []
        self.fails: list[Exception] = []

    def call(self, ask: Any, *, idempotency_key: str) -> Any:
        if self.fails:
            raise self.fails.pop(0)
        self.got.append(ask.tags[0].value)
        self.keys.append(idempotency_key)

    def has_blob(self, blob: str) -> bool:
        return blob == "b3:known"

    def put_blob(self, pieces: Any) -> str:
        if self.fails:
            raise self.fails.pop(0)
        self.got.append(b"".join(pieces).decode())
        return ""

    def impatient(self) -> "Server":
        return self

    def close(self) -> None:
        pass


@pytest.fixture
def server() -> Server:
    return Server()


def delivery_to(server: Server) -> Delivery:
    return Delivery(Client(server), ADDRESS, Troubles(ADDRESS, is_quiet=True), Roots())  # type: ignore[arg-type]


def tagged(value: str) -> Question:
    return Question(LogBatch(run_id="r", tags=(Tag(key="t", value=value),)))


def values(parcel: Parcel) -> list[str]:
    found = []
    while (entry := parcel.first()) is not None:
        assert isinstance(entry, Question)
        found.append(entry.ask.tags[0].value)  # type: ignore[attr-defined]
        parcel.drop()
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.text(max_size=20), max_size=5), max_size=6), st.integers(1, 200))
def test_what_is_put_in_comes_out_in_order(groups: list[list[str]], segment_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "SEGMENT_BYTES", segment_bytes)
        parcel = Parcel.opened(ADDRESS)
        for group in groups:
            assert parcel.add([tagged(value) for value in group]) == len(group)
        assert [value for group in groups for value in group] == values(parcel)
        parcel.close()
        assert state_of() == ()


def test_a_parcel_cut_short_by_a_crash_is_read_to_its_last_whole_entry() -> None:
    parcel = Parcel.opened(ADDRESS)
    parcel.add([tagged("a"), tagged("b")])
    (segment,) = parcel.folder.glob("*.spool")
    segment.write_bytes(segment.read_bytes()[:-3])
    assert values(parcel) == ["a"]
    assert not list(parcel.folder.glob("*.damaged"))
    parcel.close()


def test_a_file_on_its_way_is_durable_before_the_frame_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").resolve().suffix))
    parcel = Parcel.opened(ADDRESS)
    parcel.add([Upload(b"picture", run_id=RunId("r"), path="p.png")])
    assert synced.index(".bytes") < synced.index(".spool")
    parcel.close()


def test_a_damaged_segment_is_kept_apart_and_not_removed() -> None:
    parcel = Parcel.opened(ADDRESS)
    parcel.add([tagged("a"), tagged("b")])
    (segment,) = parcel.folder.glob("*.spool")
    content = bytearray(segment.read_bytes())
    content[20] ^= 1
    segment.write_bytes(content)
    assert values(parcel) == []
    assert [path.suffix for path in parcel.folder.glob("*.damaged")] == [".damaged"]
    parcel.close()


def test_only_the_parcel_of_a_dead_process_may_be_sent() -> None:
    parcel = Parcel.opened(ADDRESS)
    parcel.add([tagged("a")])
    assert list(left_over(shelf_of(ADDRESS))) == []
    assert [(state.entries, state.is_owned) for state in state_of()] == [(1, True)]
    parcel.close()
    (taken,) = left_over(shelf_of(ADDRESS))
    assert values(taken) == ["a"]
    taken.close()


def test_a_full_spool_takes_no_more_and_says_how_much_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "LIMIT_BYTES", 400)
    parcel = Parcel.opened(ADDRESS)
    kept = parcel.add([tagged(str(number)) for number in range(100)])
    assert 0 < kept < 100
    assert values(parcel) == [str(number) for number in range(kept)]
    parcel.close()


def test_an_address_in_the_spool_has_no_password(place: Path) -> None:
    Parcel.opened("http://me:secret@host:5000").close()
    assert [path.read_text() for path in place.glob("*/address")] == ["http://host:5000"]


def test_while_the_server_is_away_entries_wait_and_arrive_in_order_with_their_keys(server: Server) -> None:
    delivery = delivery_to(server)
    server.fails = [Unavailable(), Unavailable()]
    entries: list[Entry] = [tagged(letter) for letter in "abc"]
    assert delivery.deliver(entries) == ()
    assert (delivery.is_away, delivery.waiting, server.got) == (True, 3, [])
    delivery.retry()
    assert delivery.is_away
    assert delivery.deliver([tagged("d")]) == ()
    delivery.retry()
    assert (delivery.is_away, server.got) == (False, ["a", "b", "c", "d"])
    assert server.keys[:3] == [entry.key for entry in entries if isinstance(entry, Question)]
    assert state_of() == ()


def test_a_token_that_is_not_known_loses_nothing(server: Server) -> None:
    delivery = delivery_to(server)
    server.fails = [Unauthenticated()]
    delivery.deliver([tagged("a")])
    delivery.retry()
    assert server.got == ["a"]


def test_an_entry_on_which_the_server_fails_again_and_again_is_given_up(server: Server) -> None:
    delivery = delivery_to(server)
    server.fails = [Internal() for _ in range(5)]
    delivery.deliver([tagged("bad"), tagged("good")])
    for _ in range(5):
        delivery.retry()
    assert server.got == ["good"]


def test_a_refused_entry_does_not_hold_up_the_next(server: Server) -> None:
    delivery = delivery_to(server)
    server.fails = [Invalid("no")]
    delivery.deliver([tagged("a"), tagged("b")])
    assert server.got == ["b"]


def test_a_spool_that_cannot_be_written_leaves_entries_in_memory(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AIRSIDE_SPOOL", str(tmp_path / "file"))
    delivery = delivery_to(server)
    server.fails = [Unavailable()]
    entries = [tagged("a"), tagged("b")]
    assert delivery.deliver(entries) == entries
    assert delivery.is_away
    delivery.retry()
    delivery.deliver(entries)
    assert server.got == ["a", "b"]


def test_what_a_dead_process_left_is_sent_by_the_next(server: Server, tmp_path: Path) -> None:
    first = delivery_to(server)
    server.fails = [Unavailable()]
    (tmp_path / "file").write_bytes(b"bytes")
    first.deliver([tagged("a"), Upload(tmp_path / "file"), Upload(b"inline"), Upload(b"known", blob="b3:known")])
    first.close()
    second = delivery_to(server)
    while second.has_strays:
        second.send_stray()
    assert server.got == ["a", "bytes", "inline"]
    assert state_of() == ()
    assert not (tmp_path / "file").exists()


def test_the_command_sends_what_is_left_over(server: Server) -> None:
    parcel = Parcel.opened(ADDRESS)
    parcel.add([tagged("a"), tagged("b")])
    parcel.close()
    server.fails = [Unavailable("away")]
    (tried,) = send_left_over(connected=lambda *_: Client(server))  # type: ignore[arg-type]
    assert (tried.sent, tried.trouble) == (0, "away")
    (sent,) = send_left_over(ADDRESS, connected=lambda *_: Client(server))  # type: ignore[arg-type]
    assert (sent.sent, sent.trouble, server.got) == (2, "", ["a", "b"])
    assert send_left_over("http://other", connected=lambda *_: Client(server)) == ()  # type: ignore[arg-type]


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRSIDE_SPOOL")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AIRSIDE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / f"airside-spool-{os.getuid()}").symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="AIRSIDE_SPOOL"):
        spool.spool_root()
