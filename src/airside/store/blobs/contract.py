"""What every blob store must do. A backend's tests subclass this, ours and others' alike."""

from abc import ABC, abstractmethod

from airside.core.errors import Invalid, NotFound
from airside.core.ids import BlobId
from airside.store.blobs.port import BlobStore


class BlobStoreContract(ABC):
    """Subclass it in a test, and return a fresh store."""

    @abstractmethod
    def store(self) -> BlobStore:
        """A store that is empty."""

    def test_what_was_put_comes_back(self) -> None:
        """Round trip, in pieces."""
        store = self.store()
        blob = store.put([b"he", b"llo"])
        assert b"".join(store.open(blob)) == b"hello"
        assert store.size(blob) == 5

    def test_the_same_bytes_have_the_same_id(self) -> None:
        """Content is identity."""
        store = self.store()
        assert store.put([b"hello"]) == store.put([b"h", b"ello"])
        assert len(list(store.list())) == 1

    def test_an_empty_blob_is_a_blob(self) -> None:
        """Zero bytes."""
        store = self.store()
        assert b"".join(store.open(store.put([]))) == b""

    def test_a_missing_blob_is_named(self) -> None:
        """NotFound before the first piece, None as size, no error when deleted."""
        store = self.store()
        missing = BlobId("b3:" + "0" * 64)
        try:
            store.open(missing)
        except NotFound as error:
            assert missing in error.message
        else:
            raise AssertionError
        assert store.size(missing) is None
        store.delete(missing)

    def test_an_id_that_is_none_is_refused(self) -> None:
        """No path can leave the root."""
        store = self.store()
        for bad in ("../../etc/passwd", "b3:../" + "0" * 61, "b3:" + "A" * 64, ""):
            try:
                store.size(BlobId(bad))
            except Invalid:
                continue
            raise AssertionError(bad)

    def test_what_was_deleted_is_gone(self) -> None:
        """Delete, then put again."""
        store = self.store()
        blob = store.put([b"x"])
        store.delete(blob)
        assert store.size(blob) is None
        assert store.put([b"x"]) == blob
