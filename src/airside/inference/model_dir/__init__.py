"""Model directories in MLflow's format: read without importing any flavor's library, written so that MLflow loads them."""
