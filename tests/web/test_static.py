"""The static files: what they are, where they come from, what may stand in them."""

import gzip
import hashlib
import re
import tomllib
from importlib.resources import files

import pytest

from airside.server.web.security import CONTENT_SECURITY_POLICY, SECURITY_HEADERS
from airside.server.web.static import CACHE_CONTROL, static_file, static_paths, static_url

WEB = files("airside.server.web")
VENDOR = WEB / "static" / "vendor"
RECORD = tomllib.loads((VENDOR / "VENDOR.toml").read_text("utf-8"))["file"]


@pytest.mark.parametrize("entry", RECORD, ids=lambda entry: entry["name"])
def test_a_vendored_file_is_what_its_record_says(entry: dict[str, str | int]) -> None:
    body = (VENDOR / str(entry["name"])).read_bytes()
    assert (hashlib.sha256(body).hexdigest(), len(body)) == (entry["sha256"], entry["size_bytes"])


def test_every_vendored_file_has_a_record_and_a_licence() -> None:
    names = {entry.name for entry in VENDOR.iterdir()}
    recorded = {entry["name"] for entry in RECORD}
    licences = {f"LICENSE.{entry['package'].rpartition('/')[2]}" for entry in RECORD}
    assert names == recorded | licences | {"VENDOR.toml"}


def test_an_address_holds_a_digest_and_is_cached_for_ever() -> None:
    found = static_file(static_url("css/tokens.css"))
    assert re.fullmatch(r"/static/[0-9a-f]{16}/css/tokens\.css", static_url("css/tokens.css"))
    assert found is not None
    assert found.cache_control == CACHE_CONTROL
    assert "immutable" in CACHE_CONTROL


@pytest.mark.parametrize(
    "path", ["/static/../pyproject.toml", "/static/", "/static/0000000000000000/css/tokens.css", "/etc/passwd"]
)
def test_nothing_else_is_found(path: str) -> None:
    assert static_file(path) is None


def test_large_texts_are_compressed_and_fonts_are_not() -> None:
    for path in static_paths():
        found = static_file(path)
        assert found is not None
        if found.gzipped is not None:
            assert gzip.decompress(found.gzipped) == found.body
        assert (found.gzipped is None) == (path.endswith(".woff2") or len(found.body) < 1024)


def test_the_weight_of_a_cold_page_is_within_its_plan() -> None:
    def sent(name: str) -> int:
        found = static_file(static_url(name))
        assert found is not None
        return len(found.gzipped or found.body)

    assert sum(sent(f"css/{name}.css") for name in ("tokens", "base", "shell", "parts", "pictures")) <= 12_000
    own = [path.rpartition("js/")[2] for path in static_paths() if "/js/" in path]
    assert sum(sent(f"js/{name}") for name in own) <= 20_000
    assert sent("vendor/htmx.min.js") <= 14_000


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    for path in static_paths():
        found = static_file(path)
        if "/js/" in path and found is not None:
            assert found.body.count(b"\n") <= 300, path


def test_own_scripts_build_no_html_and_no_code_from_text() -> None:
    for path in static_paths():
        if "/js/" not in path:
            continue
        text = static_file(path).body.decode()  # type: ignore[union-attr]  # it is in the list
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://", text
        ), path


def test_own_styles_name_no_colour_outside_the_tokens() -> None:
    for path in static_paths():
        if "/css/" in path and not path.endswith("tokens.css"):
            text = static_file(path).body.decode()  # type: ignore[union-attr]  # it is in the list
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", text), path
            assert "http" not in text


def test_dark_by_choice_and_dark_by_system_are_the_same() -> None:
    text = static_file(static_url("css/tokens.css")).body.decode()  # type: ignore[union-attr]  # it is a file of ours
    chosen = re.search(r"data-theme=dark\] \{(.*?)\}", text, re.DOTALL)
    followed = re.search(r":not\(\[data-theme\]\) \{(.*?)\}", text, re.DOTALL)
    assert chosen is not None
    assert followed is not None
    assert chosen.group(1) == followed.group(1)


def test_the_policy_lets_nothing_inline_run_and_nothing_leave() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; script-src 'self';")
    assert {name for name, _ in SECURITY_HEADERS} >= {
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Referrer-Policy",
    }
