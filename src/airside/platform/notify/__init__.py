"""Telling others what happened: webhooks as MLflow's clients know them.

Promises: what happened while a webhook was active is delivered at least once, soon after, or is dead after a day and
says why; a call of the API never waits for a receiver; a secret is in no answer, log or audit record. Never: a call
to an address that `airside.outbound` refuses.
"""
