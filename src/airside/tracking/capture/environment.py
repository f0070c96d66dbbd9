"""The environment's lock: one line for each installed package, the same text for the same packages.

    # python 3.11.2 (CPython), Linux x86_64
    msgspec==0.19.0  # record sha256:2f1c…
    mytool==1.0 # editable file:///…  record sha256:…

pip can install from it; the digest is that of the package's RECORD, which holds the digests of all its files. The text
of an environment is kept in the user's cache folder under the names and times of its `.dist-info` folders, so that it
is made once for each change of the environment.
"""

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from blake3 import blake3

from airside.core.ids import BlobId
from airside.tracking.capture.records import Environment
from airside.tracking.capture.secret import without_credentials
from airside.tracking.capture.taking import Taken

FORM = 1
"""Of the text: part of the cache's name."""
_NAMED = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)\.(?:dist-info|egg-info)\Z")
_FIELD = re.compile(r"^(Name|Version):[ \t]*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


def taken(cache: Path | None = None) -> Taken[Environment]:
    """The environment of this process, and its lock as a blob."""
    folders = _folders()
    text = _cached(folders, cache or _cache_folder())
    content = text.encode()
    blob = BlobId(f"b3:{blake3(content).hexdigest()}")
    packages = sum(1 for line in text.splitlines() if line and not line.startswith("#"))
    return Taken(Environment(python=_python(), platform=_system(), packages=packages, lock=blob), blob, content)


def lock_of(folders: list[Path]) -> str:
    """The lock of some `.dist-info` folders."""
    lines = {line.lower(): line for line in map(_line, folders) if line}  # the first on the path is the one imported
    conda = sorted(_conda_lines())
    head = [f"# python {_python()}, {_system()}", *conda]
    return "\n".join([*head, *(lines[key] for key in sorted(lines))]) + "\n"


def _python() -> str:
    return f"{platform.python_version()} ({platform.python_implementation()})"


def _system() -> str:
    return f"{platform.system()} {platform.machine()}"


def _folders() -> list[Path]:
    """The folders of metadata, a package's first one on the path only."""
    found: dict[str, Path] = {}
    for place in dict.fromkeys(sys.path):
        with suppress(OSError), os.scandir(place or ".") as entries:
            for entry in entries:
                if entry.name.endswith((".dist-info", ".egg-info")) and entry.is_dir():
                    match = _NAMED.match(entry.name)
                    key = re.sub(r"[-_.]+", "-", match["name"] if match else entry.name).lower()
                    found.setdefault(key, Path(entry.path))
    return [found[key] for key in sorted(found)]


def _line(folder: Path) -> str:
    try:
        return _described(folder)
    except (OSError, ValueError):  # half removed, or not ours to read
        return ""


def _described(folder: Path) -> str:
    match = _NAMED.match(folder.name)
    if match:
        name, version = match["name"], match["version"]
    else:
        metadata = next(path for path in (folder / "METADATA", folder / "PKG-INFO") if path.exists())
        fields = dict(reversed(_FIELD.findall(metadata.read_text("utf-8", errors="replace")[:20_000])))
        name, version = fields["Name"], fields["Version"]
    record = folder / "RECORD"
    digest = hashlib.sha256(record.read_bytes()).hexdigest() if record.exists() else ""
    notes = [*_origin(folder), *([f"record sha256:{digest}"] if digest else [])]
    return f"{name.replace('_', '-')}=={version}" + (f"  # {', '.join(notes)}" if notes else "")


def _origin(folder: Path) -> Iterator[str]:
    """Where a package is from that is not from an index (PEP 610)."""
    place = folder / "direct_url.json"
    if not place.exists():
        return
    said = json.loads(place.read_bytes())
    commit = said.get("vcs_info", {}).get("commit_id", "")
    if said.get("dir_info", {}).get("editable"):
        yield "editable"
    if url := str(said.get("url", "")):
        yield f"from {without_credentials(url)}{f'@{commit}' if commit else ''}"


def _conda_lines() -> Iterator[str]:
    for path in (Path(sys.prefix) / "conda-meta").glob("*.json"):
        with suppress(OSError, ValueError):
            said = json.loads(path.read_bytes())
            digest = said.get("sha256") or said.get("md5") or ""
            yield f"# conda {said['name']}={said['version']}={said.get('build', '')} {digest}".rstrip()


def _cached(folders: list[Path], cache: Path) -> str:
    key = blake3(f"{FORM}\0{sys.version}\0{sys.prefix}".encode())
    for folder in folders:
        with suppress(OSError):
            key.update(f"\0{folder}\0{folder.stat().st_mtime_ns}".encode())
    with suppress(OSError):
        key.update(str((Path(sys.prefix) / "conda-meta").stat().st_mtime_ns).encode())
    place = cache / f"{key.hexdigest(length=16)}.txt"
    with suppress(OSError):
        return place.read_text("utf-8")
    text = lock_of(folders)
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = place.with_suffix(f".{os.getpid()}")
        temporary.write_text(text, "utf-8")
        temporary.replace(place)
    return text


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "airside" / "environments"
