"""The two sets that ship with the package are, byte for byte, those that the facts were measured on."""

import hashlib
from pathlib import Path

import pytest

import airside

FOLDER = Path(airside.__file__).parent / "client" / "cli" / "demo" / "data"


@pytest.mark.parametrize(
    ("name", "size_bytes", "digest"),
    [
        ("acs_ma_employment.parquet", 2_245_424, "398a07df3260d636e42c6f5b6b67b5fc4d881edd5b544851c8a46724ee9c8794"),
        ("product_descriptions.csv", 226_703, "fdba357d5ff7221275873c6c43db011af65aabd8e5be2a241acfb49a169bcf8b"),
    ],
)
def test_a_file_is_unchanged(name: str, size_bytes: int, digest: str) -> None:
    content = (FOLDER / name).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (size_bytes, digest)


def test_the_source_and_the_terms_stand_beside_them() -> None:
    text = (FOLDER / "README.md").read_text()
    assert "US Census Bureau" in text
    assert "public domain" in text
