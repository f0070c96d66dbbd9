"""Windows of what was served, compared with the training reference; alerts that say how sure and how much it matters.

Promises: false alarms are controlled; nothing missing is silently dropped.
"""
