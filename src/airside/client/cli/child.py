"""What a child process of the server does first: make sure that it does not outlive it."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """End this process when its parent ends (Linux); at once, if it has ended already. 0 is nobody.

    The kernel's parent is the thread that started this process: it lives as long as the server.
    """
    if not parent or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)
