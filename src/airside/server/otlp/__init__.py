"""OpenTelemetry's protocol for traces over HTTP: `POST /v1/traces`, protobuf and JSON.

Promises: what is read is bounded before it is read: bytes, spans, attributes, depth.
Never: stores anything itself; it makes an ask of `tracking.traces`.
"""
