"""Hostile paths, as a table: what is asked, and what it is taken for."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Invalid
from airside.store.names import MAX_BYTES, safe_parts

REFUSED = {
    "empty": "",
    "only a point": ".",
    "deep": "a/" * 100 + "x",
    "only slashes": "%2f",
    "parent": "..",
    "parent below": "a/../b",
    "parent at the end": "a/..",
    "parent behind points": "a/./../../b",
    "parent encoded": "a/%2e%2e/b",
    "parent encoded in upper case": "a/%2E%2E/b",
    "parent encoded twice": "a/%252e%252e/b",
    "parent half encoded": "a/.%2e/b",
    "parent with an encoded slash": "a%2f..%2fb",
    "absolute": "/etc/passwd",
    "absolute encoded": "%2fetc%2fpasswd",
    "absolute twice": "//etc/passwd",
    "drive": "c:/windows",
    "drive in upper case": "C:/windows",
    "drive with a backslash": "c:\\windows",
    "drive alone": "c:",
    "drive encoded": "c%3a%2fwindows",
    "share": "\\\\host\\share",
    "rooted for Windows": "\\windows",
    "file scheme": "file:///etc/passwd",
    "file scheme without slashes": "file:etc/passwd",
    "file scheme in upper case": "FILE:/etc/passwd",
    "other scheme": "http://host/x",
    "cloud scheme": "s3://bucket/x",
    "scheme encoded": "http%3a%2f%2fhost/x",
    "fragment": "a#b",
    "fragment encoded": "a%23b",
    "NUL": "a\x00b",
    "NUL encoded": "a%00b",
    "line end": "a\nb",
    "line end encoded": "a%0d%0ab",
    "delete": "a\x7fb",
    "control character": "a\x17b",
    "parent behind an overlong slash": "%c0%af/%2e%2e/x",
    "parent behind bytes that are not UTF-8": "%ff%2f%2e%2e%2fx",
    "lone surrogate": "a\ud800",
    "long segment": "x" * 256,
    "long segment of wide letters": "ä" * 128,
    "long path": "/".join(["x" * 100] * 45),
    "encoded more than ten times": "%" + "25" * 11 + "2e",
}

TAKEN = {
    "plain": ("a/b.txt", ("a", "b.txt")),
    "doubled slash": ("a//b", ("a", "b")),
    "points": ("./a/./b/.", ("a", "b")),
    "slash at the end": ("a/b/", ("a", "b")),
    "encoded slash": ("a%2Fb", ("a", "b")),
    "encoded twice": ("a%252Fb", ("a", "b")),
    "hidden": ("a/.hidden", ("a", ".hidden")),
    "three points": ("a/...", ("a", "...")),
    "colon": ("a/b:c", ("a", "b:c")),
    "backslash inside": ("a\\b", ("a\\b",)),
    "blank": ("a b/ c", ("a b", " c")),
    "letters of the world": ("ü/日本", ("ü", "日本")),
    "query mark": ("a?b=c", ("a?b=c",)),
    "lone percent": ("100%", ("100%",)),
    "image of MLflow 2.22": ("a%step%0%timestamp%1732%e5d1%25.png", ("a%step%0%timestamp%1732%e5d1%.png",)),
    "bytes that are not UTF-8": ("a%FF", ("a%ff",)),
    "overlong slash": ("%c0%af", ("%c0%af",)),
    "longest segment": ("x" * 255, ("x" * 255,)),
    "tilde": ("~root/x", ("~root", "x")),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_path_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        safe_parts(text)
    assert refused.value.message == "Invalid path"


@pytest.mark.parametrize(("text", "parts"), TAKEN.values(), ids=TAKEN.keys())
def test_a_harmless_path_is_taken(text: str, parts: tuple[str, ...]) -> None:
    assert safe_parts(text) == parts


def test_the_root_itself_is_named_only_where_it_may_be() -> None:
    assert (safe_parts("", or_root=True), safe_parts("./", or_root=True)) == ((), ())


@given(st.text(max_size=60) | st.text(alphabet="./%25ef2\\:a#", max_size=40))
@settings(max_examples=50, deadline=None)
def test_whatever_is_taken_lies_below_the_root(text: str) -> None:
    root = Path("/srv/root")
    try:
        path = root.joinpath(*safe_parts(text))
    except Invalid:
        return
    assert root in path.parents
    assert len(str(path.relative_to(root)).encode()) <= MAX_BYTES


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/#%:\\"), min_size=1))
@settings(max_examples=50, deadline=None)
def test_encoding_a_name_does_not_change_what_it_names(text: str) -> None:
    try:
        plain = safe_parts(f"d/{text}")
    except Invalid:
        return
    assert safe_parts(f"d/{quote(text)}") == plain
