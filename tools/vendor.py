"""Bring the third-party files of the Control Tower into the tree, and write down what they are.

Run by hand when a version changes: `python tools/vendor.py FOLDER`, where FOLDER holds the unpacked registry packages
(`npm pack htmx.org@4.0.1 uplot@1.6.32 @fontsource-variable/inter@5.3.0 lucide-static@1.62.0`, each unpacked into a
folder of its name). Nothing is fetched at run time; `tests/web/test_vendor.py` compares the files with the record.
"""

import hashlib
import re
import shutil
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/airside/server/web/static/vendor"

FILES = (  # file, package, version, licence, path in the package
    ("htmx.min.js", "htmx.org", "4.0.1", "0BSD", "dist/htmx.min.js"),
    ("uPlot.iife.min.js", "uplot", "1.6.32", "MIT", "dist/uPlot.iife.min.js"),
    ("uPlot.min.css", "uplot", "1.6.32", "MIT", "dist/uPlot.min.css"),
    ("inter-latin.woff2", "@fontsource-variable/inter", "5.3.0", "OFL-1.1", "files/inter-latin-wght-normal.woff2"),
    (
        "inter-latin-ext.woff2",
        "@fontsource-variable/inter",
        "5.3.0",
        "OFL-1.1",
        "files/inter-latin-ext-wght-normal.woff2",
    ),
)
LICENCES = (
    ("htmx.org", "LICENSE"),
    ("uplot", "LICENSE"),
    ("@fontsource-variable/inter", "LICENSE"),
    ("lucide-static", "LICENSE"),
)
ICONS = (
    *("activity", "arrow-down", "arrow-up", "bell", "box", "chevron-down", "chevron-left", "chevron-right"),
    *("circle-arrow-up", "circle-check", "circle-dashed", "circle-minus", "circle-x", "clock", "columns-3", "copy"),
    *("database", "download", "external-link", "file", "file-text", "flask-conical", "folder", "gauge", "git-branch"),
    *("git-commit-horizontal", "history", "image", "info", "layout-grid", "loader", "menu", "moon", "network"),
    *("octagon-x", "package", "refresh-cw", "rocket", "route", "scroll-text", "search", "server", "settings"),
    *("shield-check", "sliders-horizontal", "sun", "table-2", "tag", "tower-control", "triangle-alert", "undo-2"),
    *("user", "workflow", "x", "zap"),
)


def folder(root: Path, package: str) -> Path:
    """Where a package was unpacked."""
    return root / package / "package"


def sprite(root: Path) -> str:
    """One SVG with a symbol for each icon; colours and widths are the style sheet's."""
    symbols = []
    for name in ICONS:
        text = (folder(root, "lucide-static") / "icons" / f"{name}.svg").read_text("utf-8")
        inner = re.search(r"<svg[^>]*>(.*)</svg>", text, re.DOTALL)
        if inner is None:
            raise SystemExit(f"{name}.svg is not what an icon looks like.")
        body = re.sub(r"\s+", " ", inner.group(1)).replace("> <", "><").replace(" />", "/>").strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    note = "<!-- lucide-static 1.62.0, ISC; icons from Feather MIT; see LICENSE.lucide-static -->"
    return f'<svg xmlns="http://www.w3.org/2000/svg">{note}\n' + "\n".join(symbols) + "\n</svg>\n"


def entry(name: str, package: str, version: str, licence: str, origin: str) -> str:
    """The record of one file."""
    data = (TARGET / name).read_bytes()
    return (
        f'[[file]]\nname = "{name}"\npackage = "{package}"\nversion = "{version}"\nlicence = "{licence}"\n'
        f'origin = "{origin}"\nsha256 = "{hashlib.sha256(data).hexdigest()}"\nsize_bytes = {len(data)}\n'
    )


def main(root: Path) -> None:
    """Copy, build the sprite, write VENDOR.toml."""
    TARGET.mkdir(parents=True, exist_ok=True)
    entries = []
    for name, package, version, licence, path in FILES:
        shutil.copyfile(folder(root, package) / path, TARGET / name)
        entries.append(entry(name, package, version, licence, path))
    (TARGET / "icons.svg").write_text(sprite(root), "utf-8")
    entries.append(entry("icons.svg", "lucide-static", "1.62.0", "ISC AND MIT", "icons/*.svg, as symbols of one file"))
    for package, path in LICENCES:
        shutil.copyfile(folder(root, package) / path, TARGET / f"LICENSE.{package.rpartition('/')[2]}")
    head = "# Third-party files, as their registry packages hold them. Written by tools/vendor.py.\n\n"
    (TARGET / "VENDOR.toml").write_text(head + "\n".join(entries), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
