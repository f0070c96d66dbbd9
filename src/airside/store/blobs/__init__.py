"""Bytes by content."""
