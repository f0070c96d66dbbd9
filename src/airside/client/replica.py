"""A serving replica: the serving process with a client as its control plane. `airside serve` runs it."""

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from airside.client.transport import connect
from airside.core.record import Record
from airside.serving.process.main import listen, serve


class Replica(Record):
    """How a serving replica runs.

    Attributes:
        control_url, token: the control plane, and the token to talk to it with; empty ones come from the environment.
        host, port: where it answers, unless it inherits the listening socket `descriptor`.
        spool: its own folder, for what is not handed over yet and for the files of models.
        parent: the process to end with; 0 for none.
        allow_pickle: whether models that could not be compiled may run, in worker processes.
    """

    spool: str
    control_url: str = ""
    token: str = ""
    host: str = "127.0.0.1"
    port: int = 5001
    descriptor: int = -1
    parent: int = 0
    allowed_hosts: tuple[str, ...] = ()
    allow_pickle: bool = False


def main(replica: Replica, say: Callable[[str], None] = print) -> None:
    """Serve predictions until SIGTERM.

    Raises:
        Conflict: another process uses the spool. Unavailable: the address is taken.
        Invalid: the control plane's address is none.
    """
    if replica.parent and not _die_with(replica.parent):
        return
    control = connect(replica.control_url, replica.token)
    inherited = replica.descriptor >= 0
    listening = socket.socket(fileno=replica.descriptor) if inherited else listen(replica.host, replica.port)
    try:
        serve(
            control,
            listening,
            Path(replica.spool).expanduser(),
            allow_pickle=replica.allow_pickle,
            allowed_hosts=replica.allowed_hosts,
            say=say,
        )
    finally:
        listening.close()
        control.close()


def _die_with(parent: int) -> bool:
    """Ask Linux for a SIGTERM when the parent ends; False when it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1 is PR_SET_PDEATHSIG
    return os.getppid() == parent
