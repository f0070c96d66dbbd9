"""Words and rules that every room shares: records, ids, operations, events, errors, settings.

Promises: no I/O, no clock read in the middle, no third-party package but msgspec.
"""
