"""What `pip install airside` brings along, watched against the figure that README tells."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent
PIP_MB = 30
"""README's figure is of a whole environment: pip and setuptools are in it."""


def _closure() -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    waiting = ["airside"]
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            found[key] = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        for line in found[key].requires or ():
            requirement, _, marker = line.partition(";")
            if "extra ==" not in marker:
                waiting.append(re.split(r"[\s<>=!~\[(;]", requirement.strip(), maxsplit=1)[0])
    return found


def test_the_base_install_is_as_large_as_readme_says() -> None:
    told = re.search(r"\| installed \| (\d+) MB, (\d+) packages", (ROOT / "README.md").read_text("utf-8"))
    assert told is not None
    packages = _closure()
    size_mb = 0.0
    for name, package in packages.items():
        if name != "airside":
            paths = [Path(str(package.locate_file(file))) for file in package.files or ()]
            size_mb += sum(path.stat().st_size for path in paths if path.is_file()) / 2**20
    assert size_mb <= int(told[1]) + PIP_MB, f"{size_mb:.0f} MB"
    assert len(packages) <= int(told[2]) + 1, sorted(packages)
