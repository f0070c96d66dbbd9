"""What is captured of the process that makes a run, without being asked: code, command, environment, machine, seeds.

The upper half (`records`, `rules`, `queries`, `operations`) keeps captures with their run; the lower half (`code`,
`bundle`, `command`, `environment`, `machine`, `seeds`, `nvidia`, `system`) takes them, in the process that runs.

Promises: what looks like a secret is not taken; what is left out is said; the same code has the same bundle.
Never: imports what the process has not imported, changes anything in a repository, or reads environment variables
beyond those named in `seeds` and `machine`.
"""
