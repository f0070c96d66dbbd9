"""Which edits change the fingerprint of a step, and which must not: one edit at a time from a clean base line."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airside.pipelines.fingerprint.code import Code
from airside.pipelines.fingerprint.walk import fingerprint

BASE = {
    "steps.py": '''
"""The steps."""
import functools
import json
import decorators
import helpers
import settings
from airside.pipelines.define import step
from shapes import Circle, LIMITS

SCALE = 3
NAMES = {"a", "b", "c"}
TABLE = {"x": [1, 2, {"deep"}]}
half = functools.partial(helpers.divide, by=2)
square = lambda x: x * x
def make(n):
    def inner(x):
        return x + n
    return inner
added = make(5)
area = Circle(2).area

@step(retries=1)
@decorators.twice(times=2)
def train(x: int = 1, *, y: int = 2) -> float:
    """Train."""
    from inside import secret
    kept = [i for i in range(3) if "a" in NAMES]  # a comment
    more = len(TABLE) + settings.get() + LIMITS[0] + len(kept)
    return helpers.outer(x) * SCALE + half(4) + square(y) + added(1) + area() + secret() + more
''',
    "helpers.py": """
from deep import innermost
def divide(a, by): return a / by
def outer(x): return innermost(x) + 1
def unrelated(): return 1
""",
    "deep.py": """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from decimal import Decimal
DEPTH = 7
def innermost(x): return x * DEPTH
""",
    "decorators.py": """
import functools
FACTOR = 1
def twice(times):
    def wrap(f):
        @functools.wraps(f)
        def inner(*a, **k):
            return f(*a, **k) * times * FACTOR
        return inner
    return wrap
""",
    "shapes.py": """
LIMITS = (1, 2)
class Base:
    unit = 1
    def name(self): return "base"
class Circle(Base):
    pi = 3
    def __init__(self, r): self.r = r
    def area(self): return self.pi * self.r * self.unit
""",
    "inside.py": "def secret(): return 42\n",
    "settings.py": "import sys\nVALUES = {'depth': 1}\ndef get(): return VALUES['depth']\n",
}

MUST_RUN = [
    ("the body", "steps.py", "* SCALE +", "* SCALE -"),
    ("a default", "steps.py", "x: int = 1", "x: int = 9"),
    ("a keyword-only default", "steps.py", "y: int = 2", "y: int = 3"),
    ("a decorator's argument", "steps.py", "times=2", "times=3"),
    ("a decorator's body", "decorators.py", "* times *", "+ times *"),
    ("a decorator's constant", "decorators.py", "FACTOR = 1", "FACTOR = 2"),
    ("a decorator taken away", "steps.py", "@decorators.twice(times=2)\n", ""),
    ("a helper two calls deep", "deep.py", "x * DEPTH", "x + DEPTH"),
    ("a constant two calls deep", "deep.py", "DEPTH = 7", "DEPTH = 8"),
    ("a helper by module attribute", "helpers.py", "innermost(x) + 1", "innermost(x) + 2"),
    ("a name imported inside the function", "inside.py", "42", "43"),
    ("a lambda", "steps.py", "x * x", "x * x * x"),
    ("a nested function", "steps.py", "return x + n", "return x - n"),
    ("a captured value", "steps.py", "make(5)", "make(6)"),
    ("a partial's argument", "steps.py", "by=2)", "by=3)"),
    ("a partial's function", "helpers.py", "a / by", "a // by"),
    ("a method", "shapes.py", "self.pi * self.r *", "self.pi + self.r *"),
    ("a class attribute", "shapes.py", "pi = 3", "pi = 4"),
    ("a base class", "shapes.py", "unit = 1", "unit = 2"),
    ("a bound object's state", "steps.py", "Circle(2)", "Circle(3)"),
    ("a module constant", "steps.py", "SCALE = 3", "SCALE = 4"),
    ("an element of a set", "steps.py", '{"a", "b", "c"}', '{"a", "b", "d"}'),
    ("deep inside a container", "steps.py", '{"deep"}', '{"deeper"}'),
    ("a constant's type", "steps.py", "SCALE = 3", "SCALE = 3.0"),
    ("an imported constant", "shapes.py", "LIMITS = (1, 2)", "LIMITS = (2, 2)"),
    ("a constant of a module reached by attribute", "settings.py", "'depth': 1", "'depth': 2"),
]
MUST_SKIP = [
    ("a comment", "steps.py", "# a comment", "# another comment"),
    ("a docstring", "steps.py", '"""Train."""', '"""Train it."""'),
    ("a module's docstring", "steps.py", '"""The steps."""', '"""My steps, and more."""\n\n\n'),
    (
        "formatting",
        "deep.py",
        "def innermost(x): return x * DEPTH",
        "def innermost(\n    x\n):\n    return (x * DEPTH)",
    ),
    ("an import for type checkers", "deep.py", "import Decimal", "import Context"),
    ("an unrelated function", "helpers.py", "def unrelated(): return 1", "def unrelated(): return 2\ndef more(): pass"),
    ("an unrelated constant", "deep.py", "DEPTH = 7", "OTHER = 1\nDEPTH = 7"),
    ("the order of definitions", "steps.py", "SCALE = 3\nNAMES", "NAMES2 = 1\nSCALE = 3\nNAMES"),
    ("the order of a set", "steps.py", '{"a", "b", "c"}', '{"c", "a", "b"}'),
    ("the retries", "steps.py", "retries=1", "retries=5, timeout_s=3"),
    ("an unused import", "steps.py", "import json", "import json, csv"),
]


@contextmanager
def project(folder: Path, files: dict[str, str]) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    names = [name.removesuffix(".py") for name in files]
    for name, text in files.items():
        (folder / name).write_text(text)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)


def fingerprint_of(folder: Path, files: dict[str, str]) -> Code:
    with project(folder, files):
        module = importlib.import_module("steps")
        return fingerprint(module.train, folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Code:
    return fingerprint_of(tmp_path_factory.mktemp("base"), BASE)


def edited(name: str, before: str, after: str) -> dict[str, str]:
    assert before in BASE[name]
    return BASE | {name: BASE[name].replace(before, after)}


@pytest.mark.parametrize(("what", "file", "before", "after"), MUST_RUN, ids=[row[0] for row in MUST_RUN])
def test_an_edit_of_what_the_step_reaches_changes_it(
    base: Code, tmp_path: Path, what: str, file: str, before: str, after: str
) -> None:
    assert base.parts != fingerprint_of(tmp_path / "p", edited(file, before, after)).parts


@pytest.mark.parametrize(("what", "file", "before", "after"), MUST_SKIP, ids=[row[0] for row in MUST_SKIP])
def test_an_edit_that_cannot_matter_leaves_it(
    base: Code, tmp_path: Path, what: str, file: str, before: str, after: str
) -> None:
    assert base == fingerprint_of(tmp_path / "p", edited(file, before, after))


def test_each_part_has_the_name_of_what_it_stands_for(base: Code) -> None:
    expected = {
        "code:deep.innermost", "value:deep.DEPTH", "value:steps.SCALE", "code:shapes.Circle", "code:inside.secret",
        "code:decorators.twice", "code:steps.train", "python",
    }  # fmt: skip
    assert expected <= base.parts.keys()
    assert base.opaque == ()


def test_libraries_count_by_their_version_and_all_that_they_require(tmp_path: Path) -> None:
    text = (
        "import numpy as np\nfrom sklearn.linear_model import LogisticRegression\n"
        "def train(): return np.zeros(1), LogisticRegression()\n"
    )
    found = fingerprint_of(tmp_path, {"steps.py": text})
    assert {"library:numpy", "library:scikit-learn", "library:scipy"} <= found.parts.keys()


def test_a_loose_module_outside_the_project_counts_by_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = tmp_path / "elsewhere"
    loose.mkdir()
    (loose / "loose_lib.py").write_text("def f(): return 1\n")
    monkeypatch.syspath_prepend(str(loose))
    text = "import loose_lib\ndef train(): return loose_lib.f()\n"
    one = fingerprint_of(tmp_path / "a", {"steps.py": text})
    (loose / "loose_lib.py").write_text("def f(): return 2\n")
    from airside.pipelines.fingerprint import libraries

    libraries.tree_digest.cache_clear()
    assert one.parts["files:loose_lib"] != fingerprint_of(tmp_path / "a", {"steps.py": text}).parts["files:loose_lib"]


def test_what_cannot_be_seen_is_listed(tmp_path: Path) -> None:
    text = "import threading\nLOCK = threading.Lock()\ndef train(name):\n    with LOCK: return getattr(train, name)\n"
    found = fingerprint_of(tmp_path, {"steps.py": text})
    assert "getattr() in steps.train" in found.opaque
    assert any("LOCK" in thing for thing in found.opaque)


def test_a_file_that_changed_after_it_was_imported_is_not_taken_for_what_runs(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"  # apart, so that Python's byte code of the one is not the other's
    with project(old, {"steps.py": "def train(): return 1\n"}):
        module = importlib.import_module("steps")
        (old / "steps.py").write_text("def train(): return 2\n")
        stale = fingerprint(module.train, old)
    fresh = fingerprint_of(new, {"steps.py": "def train(): return 2\n"})
    assert stale.parts["code:steps.train"] != fresh.parts["code:steps.train"]


def test_neither_the_hash_seed_nor_the_process_matters(tmp_path: Path) -> None:
    with project(tmp_path, BASE):
        pass
    program = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import steps;"
        "from airside.pipelines.fingerprint.walk import fingerprint;"
        "print(fingerprint(steps.train, pathlib.Path(sys.argv[1])))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
