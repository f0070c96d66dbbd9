"""Fitted scikit-learn estimators as plain arrays: compiled once, evaluated with numpy alone, exactly."""
