"""Typed ids, made in one place, sortable by the time they were made.

An id is the 32 hexadecimal digits of a UUID version 7 (RFC 9562): 48 bits of milliseconds, then chance. Where an
MLflow client sees it, it has MLflow's own form (a bare run id, `m-…` for a logged model, a decimal experiment id);
elsewhere a prefix names the kind.
"""

import re
from typing import NewType

from airside.core.clock import RandomBytes

ExperimentId = NewType("ExperimentId", str)
RunId = NewType("RunId", str)
LoggedModelId = NewType("LoggedModelId", str)
DatasetVersionId = NewType("DatasetVersionId", str)
PipelineRunId = NewType("PipelineRunId", str)
EndpointName = NewType("EndpointName", str)
RolloutId = NewType("RolloutId", str)
PredictionId = NewType("PredictionId", str)
MonitorName = NewType("MonitorName", str)
AlertId = NewType("AlertId", str)
ModelName = NewType("ModelName", str)
DatasetName = NewType("DatasetName", str)
PipelineName = NewType("PipelineName", str)
ImportId = NewType("ImportId", str)
BlobId = NewType("BlobId", str)
"""`b3:` and the 64 hexadecimal digits of a BLAKE3 digest."""

PREFIXES = {
    "dataset_version": "dv",
    "pipeline_run": "pr",
    "trigger": "tg",
    "rollout": "ro",
    "prediction": "p",
    "window": "w",
    "alert": "al",
    "evidence": "ev",
    "gate": "ga",
    "token": "tk",
    "logged_model": "m",
    "import": "im",
    "assessment": "a",
    "evaluation_dataset": "d",
    "evaluation_record": "dr",
}

_BLOB = re.compile(r"b3:[0-9a-f]{64}\Z")


def new_hex(now_ms: int, random: RandomBytes) -> str:
    """32 hexadecimal digits that sort by time.

    >>> new_hex(0x0123456789AB, lambda n: bytes(n))
    '0123456789ab70008000000000000000'
    """
    tail = int.from_bytes(random(10), "big")
    value = (now_ms & (2**48 - 1)) << 80 | 0x7 << 76 | (tail >> 68 & 0xFFF) << 64 | 0b10 << 62 | tail & (2**62 - 1)
    return f"{value:032x}"


def new_id(kind: str, now_ms: int, random: RandomBytes) -> str:
    """A new id of a kind of `PREFIXES`.

    >>> new_id("alert", 1, lambda n: bytes(n))
    'al-00000000000170008000000000000000'
    """
    return f"{PREFIXES[kind]}-{new_hex(now_ms, random)}"


def is_blob_id(text: str) -> bool:
    """Whether the text has the form of a blob's id.

    >>> is_blob_id("b3:" + "0" * 64), is_blob_id("../x")
    (True, False)
    """
    return _BLOB.match(text) is not None
