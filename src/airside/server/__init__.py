"""The HTTP edge: routes from the table of operations, MLflow's wire, the pages of the Control Tower, live streams."""
