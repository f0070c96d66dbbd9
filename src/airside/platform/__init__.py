"""Where the rooms are wired: open, call, authorise, announce, audit, react."""
