"""All SQL of tracking; one module for each noun."""
