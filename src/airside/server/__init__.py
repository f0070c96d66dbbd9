"""The HTTP edge: routes from the table of operations, MLflow's wire, the pages of the Control Tower, live streams.

Never: decides anything; it decodes, asks the platform, and encodes.
"""
