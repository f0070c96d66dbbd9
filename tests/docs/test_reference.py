"""The reference pages are what the code says, and nothing that callers meet is missing from them."""

import re
import typing
from pathlib import Path

import pytest

from airside.client.cli.docstrings import entries
from airside.client.cli.generated import nouns as commands
from airside.client.cli.main import COMMANDS
from airside.core.record import Record
from airside.core.settings import SETTINGS
from airside.platform.loops import LOOPS
from airside.platform.operations import OPERATIONS
from airside.platform.reactions.table import REACTIONS
from docs import generate

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def text_of(name: str) -> str:
    return (DOCS / "reference" / name).read_text("utf-8")


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", sorted(generate.PAGES))
def test_a_committed_page_is_the_generated_one(name: str) -> None:
    assert generate.PAGES[name]() == text_of(name), "run: make docs"


def test_there_is_no_page_that_nobody_generates() -> None:
    assert {path.name for path in (DOCS / "reference").iterdir()} == set(generate.PAGES)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("operations.md", [f"### {operation.name}\n" for operation in OPERATIONS]),
        ("settings.md", [f"| `{setting.name}` |" for setting in SETTINGS]),
        ("errors.md", [f"`{kind.__name__}` | {kind.status} |" for _, kind in generate.errors()]),
        ("events.md", [f"### {kind.NAME}\n" for kind in generate.events()]),
        ("reactions.md", [f"| `{one.name}` |" for one in REACTIONS] + [f"| `{one.name}` |" for one in LOOPS]),
        ("commands.md", [f"airside {name}" for name in (*COMMANDS, *commands())]),
    ],
)
def test_everything_of_a_table_is_on_its_page(page: str, names: list[str]) -> None:
    text = text_of(page)

    assert [name for name in names if name not in text] == []


def test_every_event_that_the_platform_reacts_to_is_documented() -> None:
    assert {reaction.event for reaction in REACTIONS} <= set(generate.events())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_the_map_names_every_page() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    pages = {str(page.relative_to(DOCS)) for page in PAGES} - {"index.md"}
    missing = {page for page in pages if f"]({page})" not in index and not page.startswith("decisions/")}

    assert set() == missing


def test_entries_of_a_section_are_told_apart() -> None:
    body = "Conflict: a rollout is under way. NotFound: no such\n    endpoint.\na, b: two at once."

    assert list(entries(body)) == [
        ("Conflict", "a rollout is under way."),
        ("NotFound", "no such endpoint."),
        ("a", "two at once."),
        ("b", "two at once."),
    ]


def nouns() -> set[str]:
    """The records that stand for things: what is listed, got or created."""
    found = set()
    write = generate.Writer()
    for operation in OPERATIONS:
        answer = operation.answer_type
        items = typing.get_type_hints(answer).get("items")
        if items is not None:
            kinds = [kind for kind in typing.get_args(items) if isinstance(kind, type) and issubclass(kind, Record)]
            found |= {write.name(kind) for kind in kinds}
        elif operation.name.endswith((".get", ".create")):
            found.add(write.name(answer))
    return found


def test_each_noun_is_in_the_glossary() -> None:
    words = set(re.findall(r"`([\w.]+)`", (DOCS / "words.md").read_text("utf-8")))

    assert set() == nouns() - words


def test_the_glossary_names_only_records_that_there_are() -> None:
    write = generate.Writer()
    known = {write.name(kind) for kind in generate.records()}
    cells = [line.split("|")[3] for line in (DOCS / "words.md").read_text("utf-8").splitlines() if line[:2] == "| "]
    named = {name for cell in cells for name in re.findall(r"`([\w.]+)`", cell)}

    assert set() == named - known


def test_every_place_that_the_architecture_names_is_there() -> None:
    package = DOCS.parent / "src" / "airside"
    text = (DOCS / "explanation" / "architecture.md").read_text("utf-8")
    named = re.findall(r"`([a-z_]+/[\w/.]*)`", text)
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}

    assert [path for path in named if path.partition("/")[0] in rooms and not (package / path).exists()] == []
    assert len(named) > 10
