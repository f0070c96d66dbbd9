"""What may be logged, and which point of a metric is the latest. Pure; the texts are the wire contract's.

Sources: MLflow REST contract, sections 2 (names, lengths), 3.1 (locations), 4.1 (run names), 5 (metrics).
"""

import json
import math
import posixpath
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlparse, urlsplit, urlunparse

from airside.core.errors import Invalid
from airside.core.record import Record
from airside.tracking.records import DatasetInput, Metric, Param, RunStatus, Tag

MAX_KEY = 250
MAX_PARAM_VALUE = 6000
MAX_TAG_VALUE = 8000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG_VALUE = 20_000
MAX_LOCATION = 2048
MAX_BATCH = 1000
MAX_BATCH_PARAMS = 100
MAX_HISTORY = 10_000
MAX_CUSTOM_VIEWS = 50
CUSTOM_VIEW = "mlflow.customView.view"
RUN_NAME_TAG = "mlflow.runName"
CONTEXT_TAG = "mlflow.data.context"
ENDED: frozenset[RunStatus] = frozenset({"FINISHED", "FAILED", "KILLED"})
LARGEST = sys.float_info.max
HOST_SCHEMES = frozenset({"ftp", "sftp", "hdfs", "viewfs", "http", "https", "r2", "b2", "abfss"})
_FAMILIES = {"viewfs": "hdfs", "https": "http", "mlflow-artifacts": "http"}

Point = tuple[int, int, float, bool]
"""Time in milliseconds, step, stored value (0.0 for "not a number"), whether it is not a number: sorts as a history."""

_NAME = re.compile(r"[/\w.\- :]*\Z")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}\Z")
_BAD_CHARACTERS = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
    "and slashes (/)."
)


class Limits(Record):
    """What the operator may choose of these rules.

    Attributes:
        truncates: whether over-long values of parameters and tags are cut; else they are refused.
        location: the most characters of an artifact location.
        schemes: those of `HOST_SCHEMES` that locations may have.
        own_root: where new artifacts go; locations may name its host, too.
    """

    truncates: bool = True
    location: int = MAX_LOCATION
    schemes: frozenset[str] = frozenset()
    own_root: str = ""


DEFAULT_LIMITS = Limits()


def limits_of(memory: Mapping[str, Any]) -> Limits:
    """The limits of a platform, in its memory."""
    limits: Limits = memory.get("tracking_limits", DEFAULT_LIMITS)
    return limits


def invalid_value(value: object, path: str, reason: str = "") -> Invalid:
    r"""The error of a value that breaks a rule.

    >>> invalid_value("a b", "run_id").message
    'Invalid value "a b" for parameter \'run_id\' supplied.'
    """
    quoted = json.dumps(value, sort_keys=True, separators=(",", ":"))
    tail = f": {reason}" if reason else "."
    return Invalid(f"Invalid value {quoted} for parameter '{path}' supplied{tail}")


@lru_cache(maxsize=16_384)
def _fault_of_name(name: str) -> str:
    if not _NAME.match(name):
        return _BAD_CHARACTERS
    plain = posixpath.normpath(name)
    if plain != name or plain == "." or plain.startswith(("..", "/")):
        return (
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as "
            f"such. This name would resolve to {plain!r}"
        )
    return ""


def check_name(name: str, path: str) -> None:
    """Refuse the name of a metric, parameter or tag that is not portable.

    Raises:
        Invalid: it has other characters than letters, digits, `_ / - . :` and blank, or is not a plain path.
    """
    fault = _fault_of_name(name)
    if fault:
        raise invalid_value(name, path, fault)


def check_length(text: str, what: str, limit: int) -> None:
    """Refuse a text that is too long.

    Raises:
        Invalid: it is.
    """
    if len(text) > limit:
        raise Invalid(f"'{what}' exceeds the maximum length of {limit} characters")


def checked_value(key: str, value: float | None, timestamp_ms: int, above: str = "") -> tuple[float, bool]:
    """The value of a point as it is stored, and whether it is not a number.

    Infinities become the greatest finite double of their sign, minus zero becomes zero, not a number becomes 0.0
    with the flag set.

    >>> checked_value("m", float("-inf"), 0)
    (-1.7976931348623157e+308, False)

    Raises:
        Invalid: the name or the time breaks a rule.
    """
    check_name(key, f"{above}name")
    if timestamp_ms < 0:
        reason = f"metric '{key}' (value={value}). Timestamp must be a nonnegative long (64-bit integer) "
        raise invalid_value(timestamp_ms, f"{above}timestamp", reason)
    check_length(key, "Metric name", MAX_KEY)
    return stored_value(value)


def checked_points(metrics: Sequence[Metric]) -> dict[str, list[Point]]:
    """The points of a batch as they are stored, by their names: time, step, value, whether it is not a number.

    Names are checked once each; only when something is wrong, the metrics are gone through one by one, so that the
    error says which.

    >>> checked_points((Metric(key="loss", value=-0.0, timestamp_ms=5, step=1),))
    {'loss': [(5, 1, 0.0, False)]}

    Raises:
        Invalid: a name or a time breaks a rule.
    """
    points: dict[str, list[Point]] = {}
    is_fine = True
    for metric in metrics:
        time_ms, value, same = metric.timestamp_ms, metric.value, points.get(metric.key)
        if time_ms < 0:
            is_fine = False
        if value is not None and -LARGEST <= value <= LARGEST:  # the usual case, without a call
            point = (time_ms, metric.step, value + 0.0, False)
        else:
            point = (time_ms, metric.step, *stored_value(value))
        if same is None:
            points[metric.key] = [point]
        else:
            same.append(point)
    if not (is_fine and all(len(name) <= MAX_KEY and not _fault_of_name(name) for name in points)):
        for index, metric in enumerate(metrics):
            checked_value(metric.key, metric.value, metric.timestamp_ms, f"metrics[{index}].")
    return points


def checked_history(
    key: str, timestamps_ms: Sequence[int], steps: Sequence[int], values: Sequence[float | None]
) -> list[Point]:
    """The points of one metric as they are stored: time, step, value, whether it is not a number.

    >>> checked_history("loss", (5, 6), (1, 2), (0.5, None))
    [(5, 1, 0.5, False), (6, 2, 0.0, True)]

    Raises:
        Invalid: the name or a time breaks a rule, the columns differ in length, or there are too many points.
    """
    check_name(key, "key")
    check_length(key, "Metric name", MAX_KEY)
    if not len(timestamps_ms) == len(steps) == len(values):
        raise Invalid(
            "The columns of a history must have one length, got "
            f"{len(timestamps_ms)} times, {len(steps)} steps and {len(values)} values."
        )
    if len(values) > MAX_HISTORY:
        raise Invalid(f"At most {MAX_HISTORY:,} points can be logged at once, got {len(values):,}. Send them in parts.")
    if timestamps_ms and min(timestamps_ms) < 0:
        raise invalid_value(min(timestamps_ms), "timestamps_ms", "A time must be a nonnegative 64-bit integer.")
    return [
        (time_ms, step, *stored_value(value)) for time_ms, step, value in zip(timestamps_ms, steps, values, strict=True)
    ]


def stored_value(value: float | None) -> tuple[float, bool]:
    """The value to store and whether it is not a number: infinities become the greatest finite double."""
    if value is None or math.isnan(value):
        return 0.0, True
    if -LARGEST <= value <= LARGEST:
        return value + 0.0, False
    return (LARGEST if value > 0 else -LARGEST), False


def checked_param(param: Param, above: str = "", *, truncates: bool = True) -> Param:
    """The parameter as it is stored: an over-long value is cut, or refused where the operator wants that.

    Raises:
        Invalid: the name breaks a rule, or the value is too long.
    """
    check_name(param.key, f"{above}key")
    check_length(param.key, "Param key", MAX_KEY)
    if len(param.value) <= MAX_PARAM_VALUE:
        return param
    if not truncates:
        check_length(param.value, "Param value", MAX_PARAM_VALUE)
    return Param(key=param.key, value=param.value[:MAX_PARAM_VALUE])


def checked_tag(tag: Tag, above: str = "", *, truncates: bool = True) -> Tag:
    """The tag as it is stored: an over-long value is cut, or refused where the operator wants that.

    Raises:
        Invalid: the name breaks a rule, or the value is too long.
    """
    check_name(tag.key, f"{above}key")
    check_length(tag.key, f"{above}key", MAX_KEY)
    if len(tag.value) <= MAX_TAG_VALUE:
        return tag
    if not truncates:
        check_length(tag.value, f"{above}value", MAX_TAG_VALUE)
    return Tag(key=tag.key, value=tag.value[:MAX_TAG_VALUE])


def check_experiment_tag(tag: Tag) -> None:
    """Refuse a tag that an experiment cannot have.

    Raises:
        Invalid: its name breaks a rule, or it is too long (nothing is cut here).
    """
    check_name(tag.key, "key")
    check_length(tag.key, "key", MAX_KEY)
    check_length(tag.value, "value", MAX_EXPERIMENT_TAG_VALUE)


def check_experiment_name(name: str) -> None:
    """Refuse a blank or over-long name.

    Raises:
        Invalid: it is.
    """
    if not name.strip():
        raise Invalid(f"Invalid experiment name: '{name}'")
    check_length(name, "name", MAX_EXPERIMENT_NAME)


def check_run_id(run_id: str) -> None:
    """Refuse what cannot be the id of a run.

    Raises:
        Invalid: it has another form.
    """
    if not _RUN_ID.match(run_id):
        raise invalid_value(run_id, "run_id")


def check_batch_size(metrics: int, params: int, tags: int) -> None:
    """Refuse a batch that is too large.

    Raises:
        Invalid: it is.
    """
    for what, limit, count in (
        ("metrics", MAX_BATCH, metrics),
        ("params", MAX_BATCH_PARAMS, params),
        ("tags", MAX_BATCH_PARAMS, tags),
        ("metrics, params, and tags", MAX_BATCH, metrics + params + tags),
    ):
        if count > limit:
            raise Invalid(
                f"A batch logging request can contain at most {limit} {what}. Got {count} {what}. "
                f"Please split up {what} across multiple requests and try again."
            )


def check_distinct(params: Sequence[Param]) -> None:
    """Refuse a batch that gives one parameter twice, even with one value.

    Raises:
        Invalid: it does.
    """
    if len({param.key for param in params}) == len(params):
        return
    seen: set[str] = set()
    twice = [param.key for param in params if param.key in seen or seen.add(param.key)]  # type: ignore[func-returns-value]
    raise Invalid(
        f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request contains only one param "
        "value per param key."
    )


def last_wins(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """One tag for each key: the last one.

    >>> last_wins((Tag(key="a", value="1"), Tag(key="a", value="2")))
    (Tag(key='a', value='2'),)
    """
    return tuple({tag.key: tag for tag in tags}.values())


def experiment_no(experiment_id: str) -> int:
    """The number behind an experiment's id.

    Raises:
        Invalid: the id is no integer.
    """
    try:
        return int(experiment_id)
    except ValueError:
        raise Invalid(
            f"Invalid experiment ID '{experiment_id[:200]}'. Experiment ID must be a valid integer."
        ) from None


def settled_name(name: str, tags: Sequence[Tag]) -> str:
    """The name of a new run: its argument, else its tag; empty when neither is given.

    Raises:
        Invalid: both are given and differ.
    """
    tagged = next((tag.value for tag in reversed(tags) if tag.key == RUN_NAME_TAG), "")
    if name and tagged and name != tagged:
        raise Invalid(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"(run_name='{name}', mlflow.runName='{tagged}')."
        )
    return name or tagged


def joined(uri: str, *parts: str) -> str:
    """A URI with path segments added by one slash each, before its query string.

    >>> joined("s3://bucket/x/?v=1", "r", "artifacts")
    's3://bucket/x/r/artifacts?v=1'
    >>> joined("mlflow-artifacts:/0", "r", "artifacts")
    'mlflow-artifacts:/0/r/artifacts'
    """
    path, mark, query = uri.partition("?")
    return "/".join((path.rstrip("/") if parts else path, *parts)) + mark + query


def checked_location(location: str, folder: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """The place for artifacts as it is stored: a path is made absolute, from the server's working folder.

    >>> checked_location("runs/a", "/srv"), checked_location("s3://b/x/", "/srv"), checked_location("", "/srv")
    ('/srv/runs/a', 's3://b/x/', '')

    Raises:
        Invalid: it is too long, has a fragment or parameters, climbs, or its scheme names a host.
    """
    try:
        parts = urlparse(location)
    except ValueError:
        raise Invalid(f"'artifact_location' is no address: '{location[:200]}'") from None
    climbs_behind_params = ";" in parts.path and ".." in parts.path.split("/")
    if parts.fragment or parts.params or climbs_behind_params:
        raise Invalid("'artifact_location' URL can't include fragments or params.")
    if ".." in parts.query:
        raise Invalid("Invalid query string")
    check_host("artifact_location", location, limits)
    if parts.scheme == "runs":
        raise Invalid(f"Artifact location cannot be a runs:/ URI. Given: '{location}'")
    if len(location) > limits.location:
        raise Invalid(
            "Invalid artifact path length. The length of the artifact path cannot be greater than "
            f"{limits.location} characters. To configure this limit, please set the "
            "MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable."
        )
    place = parts.path if parts.scheme else location
    if parts.scheme not in {"", "file"} or not place or place.startswith("/"):
        return location
    absolute = (PurePosixPath(folder) / unquote(place)).as_posix()
    return urlunparse(("file", "", absolute, "", parts.query, "")) if parts.scheme else absolute


def check_host(field: str, address: str, limits: Limits) -> None:
    """Refuse an address whose scheme names a host for the server to call, but for the host of the operator's root.

    >>> check_host("source", "http://h:1/x", Limits(own_root="mlflow-artifacts://h:1/"))

    Raises:
        Invalid: it is one.
    """
    scheme, host = _named_host(address)
    if not scheme or scheme in limits.schemes or host == _named_host(limits.own_root)[1]:
        return
    raise Invalid(
        f"'{field}' cannot use the '{scheme}' scheme: the '{scheme}' scheme addresses a host other than the tracking "
        "server's configured artifact storage, so the server would connect to the host named in the URI. "
        "Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to allow it."
    )


def _named_host(address: str) -> tuple[str, tuple[str, str]]:
    """The scheme of an address that names a host, and which host; an empty scheme when it names none."""
    parts = urlsplit(address)
    if parts.scheme not in HOST_SCHEMES and not (parts.scheme == "mlflow-artifacts" and parts.netloc):
        return "", ("", "")
    return parts.scheme, (_FAMILIES.get(parts.scheme, parts.scheme), parts.netloc.lower())


def check_dataset(given: DatasetInput) -> None:
    """Refuse a dataset input with an over-long part.

    Raises:
        Invalid: it has one.
    """
    data = given.dataset
    for what, text, limit in (
        ("name", data.name, 500),
        ("digest", data.digest, 36),
        ("source_type", data.source_type, 36),
        ("source", data.source, 65_535),
        ("schema", data.schema or "", 1_048_575),
        ("profile", data.profile or "", 16_777_215),
    ):
        check_length(text, what, limit)
    for tag in given.tags:
        check_length(tag.key, "key", 255)
        check_length(tag.value, "value", 500)


def containing(names: Iterable[str], text: str) -> list[str]:
    """The names that contain a text, in capitals or not: first those that begin with it, each part in order.

    >>> containing(["val/loss", "Loss", "auc"], "loss")
    ['Loss', 'val/loss']
    """
    wanted = text.lower()
    found = sorted(name for name in names if wanted in name.lower())
    return sorted(found, key=lambda name: not name.lower().startswith(wanted))
