"""The tables of the room `governance`."""
