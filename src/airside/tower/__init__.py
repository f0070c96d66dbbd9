"""What everybody sees: the catalog (a row for each model, kept by reactions), lineage, and searches across the rooms.

Never: a truth of its own; what it holds can be made again from the other rooms' records.
"""
