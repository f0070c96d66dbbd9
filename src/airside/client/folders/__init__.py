"""Runs, experiments and models as folders: written to be read by people, and brought back, here or elsewhere.

Promises: a folder is whole or absent; every file in it is named with its digest; what was exported comes back equal.
Never: reads or writes a file that the folder's manifest does not name.
"""
