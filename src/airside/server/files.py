"""A stored file as an answer: its head, the parts that are asked for, its bytes piece by piece."""

import re
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from itertools import chain
from mimetypes import MimeTypes
from secrets import token_hex
from urllib.parse import quote

from airside.server.blobs import drawn
from airside.server.message import Answer, Header, Request
from airside.server.ranges import NoSuchRange, Span, holds, is_failed, is_unchanged, spans
from airside.store.artifacts.port import ArtifactStore, OpenFile
from airside.store.files import PIECE

TEXT_SUFFIXES = frozenset(
    (
        *("txt", "log", "err", "cfg", "conf", "cnf", "cf", "ini", "properties", "prop", "hocon", "toml", "yaml", "yml"),
        *("xml", "json", "js", "py", "py3", "csv", "tsv", "md", "rst", "ipynb"),
    )
)
TEXT_NAMES = frozenset({"MLmodel", "MLproject", "mlproject"})

_TYPES = MimeTypes(filenames=())


def content_type(path: str) -> str:
    """The type that a file is sent as: by its name alone, never by what the upload said.

    >>> content_type("a/metrics.json"), content_type("page.html"), content_type("model.pkl")
    ('text/plain', 'text/html', 'application/octet-stream')
    """
    name = path.rpartition("/")[2]
    if name in TEXT_NAMES or name.rpartition(".")[2] in TEXT_SUFFIXES:
        return "text/plain"
    return _TYPES.guess_type(name, strict=True)[0] or "application/octet-stream"


def disposition(path: str) -> str:
    r"""The header that makes a browser save the file and not show it.

    >>> disposition("a/b.txt")
    'attachment; filename=b.txt'
    >>> disposition("ä.txt")
    'attachment; filename="_.txt"; filename*=UTF-8\'\'%C3%A4.txt'
    """
    name = path.rpartition("/")[2]
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", name)
    if re.fullmatch(r"[A-Za-z0-9!#$&+.^_`|~\-]+", name):
        return f"attachment; filename={name}"
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


def download(store: ArtifactStore, path: str, request: Request) -> Answer:
    """A file, or the parts of it that are asked for. Called on a thread; the file is closed when it has been sent.

    Raises:
        NotFound: there is no such file. Invalid: it is a folder, or the path is none.
    """
    file = store.open(path)
    try:
        return _answer(file, request)
    except BaseException:
        file.close()
        raise


def _answer(file: OpenFile, request: Request) -> Answer:
    stat = file.stat
    etag, modified_s = f'"{stat.etag}"', stat.modified_ms // 1000
    modified = formatdate(modified_s, usegmt=True)
    known: tuple[Header, ...] = ((b"etag", etag.encode()), (b"last-modified", modified.encode()))
    if is_failed(request.headers, etag, modified_s):
        return _closed(file, Answer(412, b"", known))
    if is_unchanged(request.headers, etag, modified_s):
        return _closed(file, Answer(304, _nothing(), known))  # its length would be that of the whole file
    about: tuple[Header, ...] = (
        *known,
        (b"content-disposition", disposition(stat.path).encode("latin-1")),
        (b"accept-ranges", b"bytes"),
    )
    kind = content_type(stat.path).encode()
    asked, if_range = request.header(b"range"), request.header(b"if-range")
    try:
        parts = spans(asked, stat.size_bytes) if asked and holds(if_range, etag, modified) else ()
    except NoSuchRange:
        beyond = (b"content-range", f"bytes */{stat.size_bytes}".encode())
        return _closed(file, Answer(416, b"", (*about, beyond)))
    if len(parts) > 1:
        return _several(file, parts, kind, about, request)
    start, stop = parts[0] if parts else (0, stat.size_bytes)
    headers: tuple[Header, ...] = ((b"content-type", kind), *about)
    if parts:
        headers = (*headers, (b"content-range", _content_range((start, stop), stat.size_bytes)))
    return _sent(file, 206 if parts else 200, (file.pieces(start, stop),), stop - start, headers, request)


def _several(
    file: OpenFile, parts: tuple[Span, ...], kind: bytes, about: tuple[Header, ...], request: Request
) -> Answer:
    """Several ranges, as `multipart/byteranges` (RFC 9110, section 14.6)."""
    mark = token_hex(16).encode()
    size = file.stat.size_bytes
    heads = [
        b"\r\n--"
        + mark
        + b"\r\nContent-Type: "
        + kind
        + b"\r\nContent-Range: "
        + _content_range(part, size)
        + b"\r\n\r\n"
        for part in parts
    ]
    heads[0] = heads[0][2:]
    end = b"\r\n--" + mark + b"--\r\n"
    pieces: list[Iterator[bytes]] = []
    for head, part in zip(heads, parts, strict=True):
        pieces += [iter((head,)), file.pieces(*part)]
    length = sum(map(len, heads)) + sum(stop - start for start, stop in parts) + len(end)
    headers = ((b"content-type", b"multipart/byteranges; boundary=" + mark), *about)
    return _sent(file, 206, (*pieces, iter((end,))), length, headers, request)


def _sent(
    file: OpenFile,
    status: int,
    pieces: tuple[Iterator[bytes], ...],
    length: int,
    headers: tuple[Header, ...],
    request: Request,
) -> Answer:
    """A small answer whole, so that it costs one step; a large one in pieces."""
    if request.method != "HEAD" and length <= PIECE:
        return _closed(file, Answer(status, b"".join(chain(*pieces)), headers))
    headers = (*headers, (b"content-length", str(length).encode()))
    if request.method == "HEAD":
        return _closed(file, Answer(status, _nothing(), headers))
    return Answer(status, drawn(_until_closed(file, chain(*pieces))), headers)


def _content_range(part: Span, size: int) -> bytes:
    return f"bytes {part[0]}-{part[1] - 1}/{size}".encode()


def _closed(file: OpenFile, answer: Answer) -> Answer:
    file.close()
    return answer


def _until_closed(file: OpenFile, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with file:
        yield from pieces


async def _nothing() -> AsyncIterator[bytes]:
    pieces: tuple[bytes, ...] = ()
    for piece in pieces:
        yield piece
