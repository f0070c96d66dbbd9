"""Registered models, their versions, aliases, stages, approvals and the verdicts that an alias waits for.

Promises: version numbers are unique and without gaps; an alias that needs a verdict does not move without it.
"""
