"""Write the DDL texts from the schema."""

from pathlib import Path

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from airside.store.sql.schema import METADATA

DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]  # SQLAlchemy's own
}


def generated(name: str) -> str:
    """The DDL of one dialect.

    >>> "CREATE TABLE event" in generated("sqlite")
    True
    """
    dialect = DIALECTS[name]
    statements = []
    for table in METADATA.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)).strip())
        statements += [
            str(CreateIndex(index).compile(dialect=dialect)).strip()
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        ]
    statements += [text for view in METADATA.info.get("views", ()) for text in (view.strip(),)]
    lines = (statement.replace("\t", "  ").replace(" \n", "\n") + ";\n" for statement in statements)
    return "\n".join(lines)


def main() -> None:
    """Write both files."""
    for name in DIALECTS:
        (Path(__file__).parent / f"{name}.sql").write_text(generated(name), "utf-8")


if __name__ == "__main__":
    main()
