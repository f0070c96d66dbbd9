"""A project's files as one blob: a zip that is the same for the same content, whenever and wherever it is made."""

import importlib
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from airside.core.errors import Invalid
from airside.pipelines.define import PipelineFunction

MAX_BYTES = 64 * 1024 * 1024
MAX_FILES = 5_000
_LEFT_OUT = {"__pycache__", "node_modules", "venv", "env", "site-packages", "mlruns", "build", "dist"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def files_of(root: Path) -> Iterator[Path]:
    """The files of a project, sorted: without hidden ones, caches, environments and links that lead out."""
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") or path.name in _LEFT_OUT or path.suffix in {".pyc", ".pyo"}:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from () if (path / "pyvenv.cfg").exists() else files_of(path)
        elif path.is_file():
            yield path


def pack(root: Path) -> bytes:
    """The project below a folder.

    Raises:
        Invalid: it is larger than 64 MiB, or has more than 5,000 files.
    """
    buffer = io.BytesIO()
    size = count = 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in files_of(root):
            data = path.read_bytes()
            size, count = size + len(data), count + 1
            if size > MAX_BYTES or count > MAX_FILES:
                raise Invalid(
                    f"The project in '{root.name}' has more than {MAX_BYTES >> 20} MiB or {MAX_FILES:,} files. "
                    "Keep data out of it (make a dataset version), or name a smaller folder as its root."
                )
            _add(archive, path.relative_to(root).as_posix(), data)
    return buffer.getvalue()


def pack_file(path: Path) -> bytes:
    """A project of one file; an empty one when there is no such file (a pipeline made in a notebook)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        if path.is_file():
            _add(archive, path.name, path.read_bytes())
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(entry, data)


def unpack(archive: Path, folder: Path) -> None:
    """Lay the files of a project out below a folder.

    Raises:
        Invalid: a member would leave the folder, or they are too large.
    """
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        if len(members) > MAX_FILES or sum(member.file_size for member in members) > MAX_BYTES:
            raise Invalid("The project's archive is larger than a project may be.")
        for member in members:
            path = PurePosixPath(member.filename)
            if path.is_absolute() or ".." in path.parts:
                raise Invalid(f"The project's archive has a member that leaves its folder: '{member.filename[:80]}'.")
        opened.extractall(folder, members)  # the members were looked at above


def load_pipeline(entry: str, root: Path | None = None) -> tuple[PipelineFunction[..., Any], Path]:
    """Import `path/to/file.py:name`, with the project's root as the place from which its modules are found.

    Args:
        entry: the file and the name of the pipeline function in it.
        root: the project's root; the file's folder when it is not given.

    Raises:
        Invalid: there is no such file or name, or it is no pipeline.
    """
    path_text, _, name = entry.rpartition(":")
    path = Path(path_text).expanduser().resolve()
    if not path_text or not path.is_file():
        raise Invalid(f"'{entry}' names no file. It looks like: path/to/pipeline.py:name")
    base = (root or path.parent).expanduser().resolve()
    if not path.is_relative_to(base):
        raise Invalid(f"'{path.name}' is not below the project's root '{base.name}'.")
    module_name = ".".join(path.relative_to(base).with_suffix("").parts)
    module = _imported(module_name, path, base)
    found = getattr(module, name, None)
    if not isinstance(found, PipelineFunction):
        known = [key for key, value in vars(module).items() if isinstance(value, PipelineFunction)]
        raise Invalid(f"'{path.name}' has no pipeline '{name}'. It has: {', '.join(known) or 'none'}.")
    return found, base


def _imported(name: str, path: Path, base: Path) -> Any:
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) != str(path):
        raise Invalid(f"There is another module '{name}' in this process. Name the file otherwise, or give its root.")
    if str(base) not in sys.path:
        sys.path.insert(0, str(base))
    return importlib.import_module(name)
