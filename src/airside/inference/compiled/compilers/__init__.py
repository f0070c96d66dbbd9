"""Compilers: fitted scikit-learn objects → features and estimators in plain arrays. scikit-learn itself is only read."""
