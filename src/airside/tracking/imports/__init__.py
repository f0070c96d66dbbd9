"""Whole runs, experiments and logged models, with their ids, as another store knew them.

Promises: the same again changes nothing; what is there with other content is told, and never overwritten.
Never: reads the other store. Whoever reads it asks these operations, over HTTP or in the process.
"""
