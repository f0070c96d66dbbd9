"""Experiments, runs and what they log: parameters, metrics, tags, inputs, logged models.

Promises: a batch is whole or absent; the latest metric is the one of the greatest step.
Never: knows that MLflow's wire exists (that is `server.mlflow`).
"""
