"""The verbs of the room `tracking`, one module for each noun."""
