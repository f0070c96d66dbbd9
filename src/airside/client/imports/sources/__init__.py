"""Databases that are read, and never written: one file for each driver."""
