"""The release that this is; `pyproject.toml` and CHANGELOG say the same, and a test compares."""

VERSION = "0.1.0"
