"""`airside demo`: the whole loop on real data.

A caller like any other: it uses the public SDK and the pipeline of its own project folder, and no room knows of it.
"""
