"""MLflow's wire contract, translated to our operations."""
