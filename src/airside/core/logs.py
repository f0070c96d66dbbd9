"""Lines of a log: one for each event, whatever the words in it."""

import logging
from typing import TextIO

from airside.core.escapes import ESCAPED

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


class OneLine(logging.Formatter):
    r"""Writes what would end a line, or steer a terminal, as an escape: nobody forges a line by what he sends.

    >>> OneLine("%(message)s").format(logging.makeLogRecord({"msg": "path=%s", "args": ("a\n2026 INFO forged",)}))
    'path=a\\x0a2026 INFO forged'
    """

    def __init__(self, line: str = LINE) -> None:
        super().__init__(line)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- the name is the standard library's
        """The line, without what is appended of an exception."""
        return super().formatMessage(record).translate(ESCAPED)


def log_to(stream: TextIO) -> None:
    """Log every event to a stream: for the commands that a supervisor runs."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
