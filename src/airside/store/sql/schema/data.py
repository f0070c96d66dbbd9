"""The tables of the room `data`."""
