"""Traces: what an application did to answer one request, span by span, and what was thought of the answer.

Promises: what one call brings is kept whole or not at all; what is sent again changes nothing.
Never: reads a wire format (that is `server.otlp` and `server.mlflow`), nor runs a regular expression that can hang.
"""
