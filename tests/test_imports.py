"""What an import costs: heavy packages only where they are used."""

import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "scipy", "pyarrow", "pandas", "sqlalchemy", "sklearn", "jinja2", "duckdb", "alembic", "mlflow")
BUDGET_S = 0.15
FACTOR = 3.0
"""A busy machine counts more CPU time for the same work: caches are shared, clocks are slowed."""

TELL = f"\nimport sys\nprint(sorted(name for name in {HEAVY!r} if name in sys.modules))"

STARTED = """
import asyncio, sys
from pathlib import Path
from airside.core.settings import Settings
from airside.platform.wiring import Platform
from airside.server import run as running

async def main():
    platform = Platform.open(Path(sys.argv[1]), settings=Settings.load(None, environment={}))
    app = running.App(platform, running.Guard("127.0.0.1", (), ()), needs_token=False)
    app.router.add(running.routes(platform, running.Replies(platform), running.Streams(platform.hub)))
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"{}", "more_body": False}

    head = {"type": "http", "method": "POST", "query_string": b"", "headers": [(b"host", b"localhost")]}
    path = "/api/v1/platform.about"
    await app({**head, "path": path, "raw_path": path.encode()}, receive, send)
    assert sent[0]["status"] == 200
    platform.close()

asyncio.run(main())
"""


def heavy_after(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code + TELL, *arguments], capture_output=True, text=True, timeout=100, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "import airside",
        "import airside; airside.Client; airside.connect",
        "import airside.client.cli.main",
        "from airside.platform.operations import OPERATIONS",
        "from airside.server.api import openapi; openapi()",
    ],
)
def test_nothing_heavy_is_imported_by(code: str) -> None:
    assert heavy_after(code) == "[]"


def test_nothing_heavy_is_imported_before_the_servers_first_answer(tmp_path: Path) -> None:
    assert heavy_after(STARTED, str(tmp_path / "home")) == "[]"


def cpu_s(code: str) -> float:
    """CPU time of a fresh interpreter that runs the code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("code", ["import airside", "import airside; airside.Client"])
def test_importing_the_client_costs_little(code: str) -> None:
    cpu_s(code)  # byte code and disk cache
    bare = statistics.median(cpu_s("pass") for _ in range(5))
    ours = statistics.median(cpu_s(code) for _ in range(5))
    assert ours - bare <= BUDGET_S * FACTOR
