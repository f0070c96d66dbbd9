"""Model directories in MLflow's format: read and described without importing any flavor's library."""
