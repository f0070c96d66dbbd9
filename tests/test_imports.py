"""What an import costs: heavy packages only where they are used."""

import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "scipy", "pyarrow", "pandas", "sqlalchemy", "sklearn", "jinja2", "alembic", "mlflow")
BUDGET_S = 0.15
FACTOR = 3.0
"""A busy machine counts more CPU time for the same work: caches are shared, clocks are slowed."""

TELL = f"\nimport sys\nprint(sorted(name for name in {HEAVY!r} if name in sys.modules))"

STARTED = """
import asyncio, sys
from pathlib import Path
import airside.client.cli.server
from airside.core.settings import Settings
from airside.platform.home import Home
from airside.server import run
from airside.store.sql.bootstrap import prepare
from airside.store.sql.database import database_of

async def main():
    settings, home = Settings.load(None, environment={}), Home(Path(sys.argv[1]))
    prepare(database_of("", home.path))
    app = run.App(settings, run.Guard("127.0.0.1", (), ()), needs_token=False)
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "query_string": b"", "headers": [], "path": "/health"}
    await app({**scope, "raw_path": b"/health"}, None, send)
    assert sent[0]["status"] == 200
    home.close()

asyncio.run(main())
assert "airside.platform.operations" not in sys.modules
assert "airside.client.transport" not in sys.modules
"""


def heavy_after(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code + TELL, *arguments], capture_output=True, text=True, timeout=100, check=True
    )
    return done.stdout.strip()


def test_a_client_of_a_run_imports_its_http_library_when_there_is_a_server_to_talk_to() -> None:
    code = "import airside, sys; airside.start_run; assert not {'urllib3', 'ssl', 'email'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], timeout=100, check=True)


@pytest.mark.parametrize(
    "code",
    [
        "import airside",
        "import airside; airside.Client; airside.connect",
        "import airside; airside.start_run",
        "import airside.client.cli.main",
        "from airside.platform.operations import OPERATIONS",
        "from airside.server.api import openapi; openapi()",
        "import airside.server.opening",
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


@pytest.mark.parametrize("name", ["__version__", "Client", "start_run"])
def test_importing_the_client_costs_little(name: str) -> None:
    code = f"import airside; airside.{name}"
    cpu_s(code)  # byte code and disk cache
    bare = statistics.median(cpu_s("pass") for _ in range(5))
    ours = statistics.median(cpu_s(code) for _ in range(5))
    assert ours - bare <= BUDGET_S * FACTOR
