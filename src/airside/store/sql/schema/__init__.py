"""The tables, room by room, as SQLAlchemy describes them; their DDL is generated."""
