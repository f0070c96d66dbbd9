"""The pictures and tables of a run, as `log_image` and `log_table` keep them."""

import json
import re

from airside.core.record import Record
from airside.server.web.page import Call, PageQuery, Trouble, address, attempt
from airside.tracking.artifacts import ListArtifacts
from airside.tracking.records import Run

FOLDER = "images"
TABLES = "mlflow.loggedArtifacts"
"""The tag in which clients list the tables that they logged."""
PICTURES = ("png", "jpg", "jpeg", "gif", "webp")
SMALL = "compressed"
"""Clients keep a small copy of each picture, whose name ends so."""
SHOWN = 24
MAX_TABLES = 12
_NAME = re.compile(r"(?P<key>.+?)[+%]step[+%](?P<step>-?\d+)[+%]timestamp[+%](?P<at>\d+)[+%](?P<id>[^+%.]+)")


class Picture(Record):
    """A picture at a step: the small copy is shown, the whole one is opened."""

    step: int
    at_ms: int
    whole: str
    small: str


class Series(Record):
    """The pictures of one name, by step; `n_hidden` counts those that are not shown."""

    key: str
    items: tuple[Picture, ...]
    n_hidden: int = 0


def media(call: Call, query: PageQuery, found: Run) -> dict[str, object]:
    """What the tab shows: pictures by name, other pictures, and where the tables lie."""
    run_id = found.info.run_id
    listed = attempt(call, ListArtifacts(run_id=run_id, path=FOLDER))
    names = () if isinstance(listed, Trouble) else tuple(one.path for one in listed.items if not one.is_dir)
    only = query.arguments.get("images", "")
    return {
        "pictures": listed if isinstance(listed, Trouble) else series(names, run_id, only),
        "only": only,
        "tables": tables(found),
    }


def series(paths: tuple[str, ...], run_id: str, only: str = "") -> tuple[Series, ...]:
    """Pictures by their name and step; all steps of one name when it is asked for, else the first."""
    by_key: dict[str, dict[tuple[int, int, str], dict[str, str]]] = {}
    for path in paths:
        name, _, ending = path.rpartition("/")[2].rpartition(".")
        parts = _NAME.match(name)
        if ending.lower() not in PICTURES:
            continue
        at = (int(parts["step"]), int(parts["at"]), parts["id"]) if parts else (0, 0, path)
        key = re.sub(r"[~#]", "/", parts["key"]) if parts else "Other pictures"
        kind = "small" if name.endswith(SMALL) else "whole"
        by_key.setdefault(key, {}).setdefault(at, {})[kind] = path
    found = []
    for key, at_steps in sorted(by_key.items()):
        if only in {"", key}:
            every = [_picture(at, kinds, run_id) for at, kinds in sorted(at_steps.items())]
            shown = every if only else every[:SHOWN]
            found.append(Series(key=key, items=tuple(shown[:500]), n_hidden=len(every) - len(shown[:500])))
    return tuple(found)


def _picture(at: tuple[int, int, str], kinds: dict[str, str], run_id: str) -> Picture:
    whole = kinds.get("whole") or kinds["small"]
    return Picture(
        step=at[0],
        at_ms=at[1],
        whole=file_address(run_id, whole),
        small=file_address(run_id, kinds.get("small") or whole),
    )


def file_address(run_id: str, path: str) -> str:
    """Where a file of a run is sent from."""
    return address("/get-artifact", run_uuid=run_id, path=path)


def tables(found: Run) -> tuple[str, ...]:
    """The paths of the tables that were logged."""
    told = next((tag.value for tag in found.tags if tag.key == TABLES), "")
    try:
        listed = json.loads(told) if told else []
    except (ValueError, RecursionError):
        return ()
    if not isinstance(listed, list):
        return ()
    paths = [one.get("path") for one in listed if isinstance(one, dict) and one.get("type") == "table"]
    return tuple(dict.fromkeys(path for path in paths if isinstance(path, str)))[:MAX_TABLES]
