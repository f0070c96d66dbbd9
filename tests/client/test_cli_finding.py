"""`airside find`: a table for people, JSON for programs, and what to do when it cannot be read."""

import json

import pytest
from tests.client.test_cli import Run, run

__all__ = ["run"]


def test_what_is_found_is_a_table_or_json(run: Run) -> None:
    assert run("experiments", "create", "jobs").status == 0
    table = run("find", "experiments", "name = 'jobs'")
    assert (table.status, table.err) == (0, "")
    assert table.out.split()[:2] == ["id", "name"]
    assert "jobs" in table.out
    (found,) = json.loads(run("find", "experiments", "name = 'jobs'", "--json").out)["items"]
    assert (found["kind"], found["id"], found["values"]["name"]) == ("experiment", "1", "jobs")
    assert run("find", "versions", "metrics.auc > 0.8").out == "None.\n"


def test_more_than_asked_for_is_told_and_paged(run: Run) -> None:
    first = run("find", "experiments", "--limit", "1")
    assert "There are more" not in first.out
    assert run("experiments", "create", "jobs").status == 0
    token = run("find", "experiments", "--limit", "1").out.split()[-1]
    assert run("find", "experiments", "--limit", "1", "--page-token", token, "--columns", "name").out.split()[-1] == (
        "Default"
    )


def test_without_a_noun_it_lists_what_there_is(run: Run) -> None:
    said = run("find")
    assert {"versions", "dataset.", "predictions"} <= set(said.out.split())


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("cars",), 1, "versions"),
        (("versions", "wheels.n = 4"), 1, "wheels"),
        (("experiments", "", "--columns", "colour"), 2, "No column 'colour'"),
    ],
)
def test_a_mistake_is_told(run: Run, arguments: tuple[str, ...], status: int, words: str) -> None:
    said = run("find", *arguments)
    assert said.status == status
    assert words in said.err
    assert "Traceback" not in said.err
