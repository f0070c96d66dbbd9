"""The tables of the room `quality`."""
