"""Pictures laid out by the server: pure functions from data to coordinates. Templates write them as SVG."""
