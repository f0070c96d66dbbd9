"""What may be stored as a capture. Pure."""

import msgspec

from airside.core.errors import Invalid
from airside.core.ids import is_blob_id
from airside.tracking.capture.records import Capture

MAX_SOURCE = 250
MAX_BYTES = 256 << 10
MAX_CAPTURES = 500
"""Of one run: a process of a distributed training has one each."""


def check_capture(capture: Capture) -> None:
    """Refuse a capture that cannot be stored.

    Raises:
        Invalid: it is too large, has no source, or names a blob that is none.
    """
    if not 0 < len(capture.source) <= MAX_SOURCE or "\0" in capture.source:
        raise Invalid(f"The source of a capture is a text of 1 to {MAX_SOURCE} characters, such as 'host:4711'.")
    size = len(msgspec.json.encode(capture))
    if size > MAX_BYTES:
        raise Invalid(
            f"A capture has at most {MAX_BYTES >> 10} KiB of facts, this one {size >> 10} KiB. Shorten lists."
        )
    for blob in (capture.code.bundle if capture.code else "", capture.environment.lock if capture.environment else ""):
        if blob and not is_blob_id(blob):
            raise Invalid(f"'{blob[:80]}' is not the id of a blob; one is b3: and 64 hexadecimal digits.")
