"""MLflow's stores, read: one small file for each kind of thing. What columns exist decides, not a version."""
