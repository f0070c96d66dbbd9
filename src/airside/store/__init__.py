"""Where records and bytes are kept: metadata in SQL, blobs by content, artifacts by path.

Promises: acknowledged means durable; what a crash interrupts is whole or absent; no path leaves its root.
Never: knows what the rooms above mean by their rows.
"""
