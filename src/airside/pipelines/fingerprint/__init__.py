"""The transitive fingerprint of a step's code: all that it can reach in the project, and the libraries' versions.

Promises: an edit that can change what the step returns changes the fingerprint; comments, docstrings, positions and what
the step cannot reach do not. What cannot be seen is listed as opaque, never ignored in silence.
"""

from airside.pipelines.fingerprint.walk import Code, fingerprint, fingerprint_classes

__all__ = ["Code", "fingerprint", "fingerprint_classes"]
