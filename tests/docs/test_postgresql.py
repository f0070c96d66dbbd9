"""What the page about PostgreSQL says of several servers on one database."""

import time
from pathlib import Path

import psycopg
import pytest
from tests.conftest import RunningServer

import airside
from airside.core.errors import NotFound
from airside.platform.house import ListAudit, VerifyAudit
from airside.registry.operations.models import CreateModel
from airside.tower.operations.catalog import GetRow
from airside.tracking.operations.experiments import CreateExperiment, GetExperimentByName


@pytest.mark.postgres
def test_two_servers_with_homes_of_their_own_share_a_database(postgres_server: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA shared")
    url = f"{postgres_server}?options=-csearch_path%3Dshared"
    servers = [RunningServer(tmp_path / name, "--database", url) for name in ("one", "two")]
    try:
        one, two = (airside.connect(server.url) for server in servers)

        made = one.call(CreateExperiment(name="shared"))
        two.call(CreateModel(name="churn"))

        assert two.call(GetExperimentByName(name="shared")).experiment_id == made.experiment_id
        assert one.call(VerifyAudit()).holds
        chains = {line.chain for line in one.call(ListAudit()).items if line.actor == "local"}
        assert len(chains) == 2
        assert _row_of(one, "churn") == "churn"
    finally:
        for server in servers:
            server.stop()


def _row_of(client: airside.Client, name: str) -> str:
    """The name in the catalog's row, once the loop that holds the lease has refreshed it."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return client.call(GetRow(name=name)).name
        except NotFound:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
