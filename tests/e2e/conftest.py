"""The flows are scripts for other interpreters, not modules to be looked into for tests."""

collect_ignore_glob = ["flows/*"]
