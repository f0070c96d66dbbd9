"""Runs as people log them: what is logged waits in memory, is sent from behind, and outlives a server that is away.

Promises: logging costs microseconds and never fails the training because of the server; what was flushed is durable,
at the server or in the spool; after a repeat nothing is there twice; what went wrong is told once, and at the end.
Never: shares a connection or a queue with a forked child, waits for the server for ever.
"""
