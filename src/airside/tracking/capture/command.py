"""How the process was started: its command line, script or notebook."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from airside.tracking.capture.records import Command
from airside.tracking.capture.secret import redacted, redacted_arguments

MAX_ARGUMENTS = 200
MAX_LENGTH = 1000


def taken() -> Command:
    """The command of this process."""
    arguments = redacted_arguments(sys.orig_argv)
    shown = [one if len(one) <= MAX_LENGTH else f"{one[: MAX_LENGTH - 1]}…" for one in arguments[:MAX_ARGUMENTS]]
    if len(arguments) > MAX_ARGUMENTS:
        shown.append(f"… ({len(arguments) - MAX_ARGUMENTS} more)")
    return Command(arguments=tuple(shown), entry=entry(), notebook=redacted(notebook()), folder=_folder())


def entry() -> str:
    """The script as it was named, `-m module`, or nothing in an interactive session."""
    if _is_interactive():
        return ""
    main: Any = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name not in {"__main__", ""}:
        return f"-m {spec.name.removesuffix('.__main__')}"
    file = getattr(main, "__file__", None)
    return str(file) if file else ""


def entry_file() -> Path | None:
    """The file of the script or module that was started."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not file or _is_interactive():
        return None
    path = Path(file).absolute()
    return path if path.is_file() else None


def notebook() -> str:
    """The notebook's file or name, where the notebook says so; `notebook` where it does not; empty outside one."""
    if not _is_interactive():
        return ""
    for variable in ("JPY_SESSION_NAME", "COLAB_NOTEBOOK_NAME", "KAGGLE_KERNEL_RUN_TYPE"):
        if found := os.environ.get(variable, ""):
            return found
    with suppress(Exception):
        shell = sys.modules["IPython"].get_ipython()
        return str(shell.user_ns.get("__vsc_ipynb_file__") or shell.user_ns.get("__session__") or "notebook")
    return "notebook"


def _is_interactive() -> bool:
    return "ipykernel" in sys.modules


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # the folder was removed meanwhile
        return ""
