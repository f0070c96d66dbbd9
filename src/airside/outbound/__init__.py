"""The one HTTP client for addresses outside.

Promises: every address is checked when it is connected to. Never: follows redirects or expands secrets.
"""
