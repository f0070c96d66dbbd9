"""The Control Tower."""
