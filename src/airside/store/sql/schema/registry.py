"""The tables of the room `registry`."""
