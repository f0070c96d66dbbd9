"""The one place that calls addresses outside: webhooks first.

Promises: a name is resolved once and the connection goes to the very address that was checked, so nothing can change
between check and call; only public addresses are called, unless the operator lists others; redirects, proxies and
`.netrc` are not followed; time and sizes are bounded. Never: a retry (whoever asks decides), a secret in a text.
"""
