"""Runs the blocks of a page as a reader would: its commands in a shell, its Python in one session, its servers behind.

A `console` block is a list of commands (`$ …`); `airside server` and its like run on behind. A `python` block goes on
where the last one ended; one that begins with `# name.py` is that file. Other blocks are only shown.
"""

import os
import re
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import airside

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# ([\w/]+\.\w+)\n")
_BEHIND = ("airside server", "airside worker", "airside serve")
SHELL = f'airside() {{ "{sys.executable}" -m airside "$@"; }}\npython() {{ "{sys.executable}" "$@"; }}\n'


def blocks(page: Path) -> list[tuple[str, str]]:
    """The blocks of a page: language and text."""
    return _BLOCK.findall(page.read_text("utf-8"))


def environment(folder: Path, base: dict[str, str]) -> dict[str, str]:
    """A reader's environment: a home of its own, and none of our variables."""
    kept = {name: value for name, value in base.items() if not name.startswith(("AIRSIDE_", "MLFLOW_"))}
    source = str(Path(airside.__file__).parents[1])
    return {**kept, "HOME": str(folder), "PYTHONPATH": source, "OMP_NUM_THREADS": "1", "GIT_PYTHON_REFRESH": "quiet"}


def follow(pages: list[str], folder: Path, base: dict[str, str], *, port: int, timeout_s: int = 400) -> str:
    """Run pages, one after the other, in a process of its own; what it said.

    Raises:
        AssertionError: a block failed; the text says which and how.
    """
    script = folder / "follow.py"
    text = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
    text += f"from tests.docs.pages import play\nplay({pages!r}, {port})\n"
    script.write_text(text)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=environment(folder, base),
        timeout=timeout_s,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def play(pages: list[str], port: int) -> None:
    """Run the blocks of pages of `docs` in the present folder; `port` takes the place of 5000."""
    session: dict[str, Any] = {"__name__": "__main__"}
    behind: list[subprocess.Popen[bytes]] = []
    try:
        for language, raw in (one for page in pages for one in blocks(ROOT / "docs" / page)):
            text = raw.replace("5000", str(port))
            named = _FILE.match(text)
            if language == "python" and named:
                Path(named[1]).parent.mkdir(parents=True, exist_ok=True)
                Path(named[1]).write_text(text)
            elif language == "python":
                exec(compile(text, f"<{text.splitlines()[0]}>", "exec"), session)
            elif language == "console":
                for command in _commands(text):
                    _run(command, behind)
    except BaseException:  # noqa: BLE001 -- whatever a block did, the reader is told
        traceback.print_exc()
        sys.exit(1)
    finally:
        for process in reversed(behind):
            process.terminate()
            process.wait(20)


def _commands(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.startswith("$ "):
            yield line[2:]


def _run(command: str, behind: "list[subprocess.Popen[bytes]]") -> None:
    if any(one in command for one in _BEHIND):
        with Path("behind.log").open("ab") as log:
            behind.append(subprocess.Popen(["bash", "-c", _exec(command)], stdout=log, stderr=log))
        _wait_for_port(command, behind[-1])
        return
    exported = re.match(r"export (\w+)=(\S+)$", command)
    if exported:
        os.environ[exported[1]] = exported[2]
        return
    done = subprocess.run(["bash", "-c", SHELL + command], capture_output=True, text=True, check=False)
    sys.stdout.write(f"$ {command}\n{done.stdout}{done.stderr}\n")
    assert done.returncode == 0, f"{command} ended with {done.returncode}"


def _exec(command: str) -> str:
    """The command in the place of the shell, so that ending it ends the server."""
    return command.replace("airside ", f'exec "{sys.executable}" -m airside ', 1)


def _wait_for_port(command: str, process: "subprocess.Popen[bytes]") -> None:
    port = re.search(r"--port (\d+)", command)
    deadline = time.monotonic() + 30
    while port and time.monotonic() < deadline:
        assert process.poll() is None, Path("behind.log").read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port[1]))) == 0:
                return
        time.sleep(0.05)
