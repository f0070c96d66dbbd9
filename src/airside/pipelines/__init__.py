"""Steps, graphs, runs, cache, triggers.

Promises: a finished step is never lost and never runs twice; a run found dead is resumed under its own id.
"""
