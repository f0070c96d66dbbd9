"""People's edge: the SDK, its transports, the command line."""
