"""The tables of the room `pipelines`."""
