"""The catalog read model: one row for each model, kept by reactions."""
