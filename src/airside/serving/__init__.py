"""Endpoints, rollouts and their judge, the prediction log, the serving process.

Promises: an answer comes from one version whose bytes are those registered; a rollout ends promoted, rolled back or
paused, with its evidence; every answered request is in the log once.
Never: unpickles in the serving process, or opens the control plane's database from it.
"""
