"""The tables of the room `monitoring`."""
