"""The tables of the room `serving`."""
