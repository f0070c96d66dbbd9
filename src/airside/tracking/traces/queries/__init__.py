"""All SQL of traces."""
