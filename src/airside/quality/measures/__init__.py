"""Pure statistics: drift, performance, fairness, calibration, slices, the profile."""
