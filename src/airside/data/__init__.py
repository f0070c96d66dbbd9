"""Dataset versions by content: files, schema, profile, who used them.

Promises: a version never changes; its digest is its identity. Never: reads a path that a client named.
"""
