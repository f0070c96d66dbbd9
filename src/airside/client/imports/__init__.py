"""Taking another store over, and moving runs, experiments and models as folders.

Promises: a source is only read; an interrupted import goes on where it was; what was taken over is compared with the
source at the end. Never: writes to a platform but through its operations.
"""
