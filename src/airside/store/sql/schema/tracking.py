"""The tables of the room `tracking`."""
