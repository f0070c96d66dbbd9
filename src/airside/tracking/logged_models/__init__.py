"""Logged models: a model as a run logged it, before (or without) being registered.

Promises: a parameter is written once; every point logged with a model's id is kept, identical ones once.
Never: touches the files; they are in the artifact store.
"""
