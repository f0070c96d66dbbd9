"""Evaluation: datasets of inputs with what is expected of them, and scorers.

Promises: of equal inputs a dataset has one record; a scorer's versions are numbered and never change.
Never: runs a scorer; its text is kept as it came.
"""
