"""The DDL of the newest schema as text, so that a fresh store is made without importing SQLAlchemy (0.4 s).

Generated from `airside.store.sql.schema` by `python -m airside.store.sql.ddl`; a test compares.
"""

from importlib.resources import files

from airside.core.operation import Dialect

HEAD = "0001"
"""The revision that the texts make; the newest of `migrations/versions`."""


def ddl_text(dialect: Dialect) -> str:
    """The statements, separated by `;` at line ends."""
    return files(__package__).joinpath(f"{dialect}.sql").read_text("utf-8")
