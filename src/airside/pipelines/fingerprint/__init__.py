"""The transitive fingerprint of a step's code: all that it can reach in the project, and the libraries' versions.

Promises: an edit that can change what the step returns changes the fingerprint; comments, docstrings, positions and
what the step cannot reach do not. What cannot be seen is listed as opaque, never ignored in silence.
`walk.fingerprint` makes it, in the process that has the project's code imported; `code.Code` is what it is.
"""
