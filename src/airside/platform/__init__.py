"""Where the rooms are wired: open, call, authorise, announce, audit, react; who may do what; what happens by the clock.

Promises: `Platform.call` is the only way in, so that no verb is without its permission, its event and its audit record.
"""
