"""Files by path below the operator's roots, as the MLflow contract asks."""
