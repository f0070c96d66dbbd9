"""What every artifact store must do: subclass it, fill `store`, and the test runner does the rest.

class TestMine(ArtifactStoreContract):
    @pytest.fixture
    def store(self) -> ArtifactStore: ...
"""

from collections.abc import Iterator

from airside.core.errors import Invalid, NotFound
from airside.store.artifacts.port import ArtifactStore
from airside.store.files import PIECE


def _refused(store: ArtifactStore, path: str) -> bool:
    """Whether every method refuses a path."""
    refusals = 0
    for call in (
        lambda: store.write(path, [b"x"]),
        lambda: store.open(path),
        lambda: store.stat(path),
        lambda: store.list(path),
        lambda: store.delete(path),
    ):
        try:
            call()
        except Invalid:
            refusals += 1
    return refusals == 5


class ArtifactStoreContract:
    """The promises of `ArtifactStore`, one test each."""

    def test_what_is_written_is_read(self, store: ArtifactStore) -> None:
        store.write("1/r/artifacts/a.txt", [b"hello ", b"", b"world"])
        with store.open("1/r/artifacts/a.txt") as file:
            assert b"".join(file.pieces()) == b"hello world"
            assert file.stat.size_bytes == 11

    def test_a_range_is_a_part(self, store: ArtifactStore) -> None:
        store.write("a", [b"0123456789"])
        with store.open("a") as file:
            assert [b"".join(file.pieces(2, 5)), b"".join(file.pieces(8)), b"".join(file.pieces(20))] == [
                b"234",
                b"89",
                b"",
            ]

    def test_a_large_file_comes_in_pieces(self, store: ArtifactStore) -> None:
        store.write("big", (b"x" * 100_000 for _ in range(25)))
        with store.open("big") as file:
            assert max(len(piece) for piece in file.pieces()) <= PIECE
            assert sum(len(piece) for piece in file.pieces()) == 2_500_000

    def test_the_last_write_wins_and_the_open_file_stays(self, store: ArtifactStore) -> None:
        before = store.write("a", [b"one"])
        with store.open("a") as file:
            after = store.write("a", [b"three"])
            assert b"".join(file.pieces()) == b"one"
        with store.open("a") as file:
            assert b"".join(file.pieces()) == b"three"
        assert before.etag != after.etag

    def test_a_write_that_breaks_leaves_the_old_file(self, store: ArtifactStore) -> None:
        def broken() -> Iterator[bytes]:
            yield b"half"
            raise ConnectionResetError

        store.write("d/a", [b"whole"])
        for path in ("d/a", "d/new"):
            try:
                store.write(path, broken())
            except ConnectionResetError:
                continue
            raise AssertionError("the broken write was taken")
        with store.open("d/a") as file:
            assert b"".join(file.pieces()) == b"whole"
        assert [each.path for each in store.list("d")] == ["d/a"]

    def test_a_listing_is_one_level_by_name(self, store: ArtifactStore) -> None:
        for path in ("m/b.txt", "m/a/deep/x", "m/C"):
            store.write(path, [b"1"])
        listed = [(each.path, each.is_dir, each.size_bytes) for each in store.list("m")]
        assert listed == [("m/C", False, 1), ("m/a", True, 0), ("m/b.txt", False, 1)]
        assert [each.path for each in store.list()] == ["m"]

    def test_a_listing_of_nothing_or_of_a_file_is_empty(self, store: ArtifactStore) -> None:
        store.write("a", [b"1"])
        assert (store.list("nope"), store.list("a"), store.list("a/b")) == ((), (), ())

    def test_what_is_not_there_is_not_found(self, store: ArtifactStore) -> None:
        store.write("a", [b"1"])
        for path in ("nope", "nope/x", "a/x"):
            assert store.stat(path) is None
            try:
                store.open(path)
            except NotFound:
                continue
            raise AssertionError(path)

    def test_a_folder_and_a_file_do_not_take_each_others_place(self, store: ArtifactStore) -> None:
        store.write("d/a", [b"1"])
        for path in ("d", "d/a/b"):
            try:
                store.write(path, [b"2"])
            except Invalid:
                continue
            raise AssertionError(path)
        try:
            store.open("d")
        except Invalid:
            return
        raise AssertionError("a folder was opened")

    def test_a_deletion_takes_all_below_and_may_be_repeated(self, store: ArtifactStore) -> None:
        for path in ("d/a", "d/e/f", "other"):
            store.write(path, [b"1"])
        for path in ("d", "d", "nope/x"):
            store.delete(path)
        assert [each.path for each in store.list()] == ["other"]

    def test_no_path_leaves_the_root(self, store: ArtifactStore) -> None:
        for path in ("../x", "/etc/passwd", "a/%2e%2e/b", "c:/x", "file:x", "a#b", "a\x00b"):
            assert _refused(store, path), path

    def test_names_are_kept_as_they_are(self, store: ArtifactStore) -> None:
        for name in ("ä ö.txt", "a:b", "back\\slash", "100%", " blank "):
            store.write(f"n/{name}", [name.encode()])
            with store.open(f"n/{name}") as file:
                assert b"".join(file.pieces()) == name.encode()
