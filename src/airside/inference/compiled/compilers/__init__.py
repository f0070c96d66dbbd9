"""Compilers: fitted scikit-learn objects → features and estimators in plain arrays. Nothing is trained."""
