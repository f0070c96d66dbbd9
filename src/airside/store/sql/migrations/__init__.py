"""The steps from each released schema to the next. Run at start, under a lock, after a copy."""
