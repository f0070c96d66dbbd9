"""The tables of the room `tower`."""
