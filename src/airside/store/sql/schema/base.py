"""The one `MetaData`, and the few column types that both dialects share."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, MetaData, Text

METADATA = MetaData()

BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")

__all__ = [
    "BYTEWISE",
    "METADATA",
    "blob",
    "flag",
    "json_text",
    "millis",
    "number",
    "ordered",
    "serial",
    "text",
    "whole",
]


def text(name: str, **options: object) -> "Column[str]":
    """A text."""
    return Column(name, Text, **{"nullable": False, **options})  # type: ignore[arg-type]  # SQLAlchemy's overloads


def ordered(name: str, **options: object) -> "Column[str]":
    """A text that is searched or sorted: compared by its bytes in both dialects."""
    return Column(name, BYTEWISE, **{"nullable": False, **options})  # type: ignore[arg-type]  # SQLAlchemy's overloads


def json_text(name: str, **options: object) -> "Column[str]":
    """A JSON text, encoded and decoded by msgspec in the room's queries."""
    return text(name, **options)


def whole(name: str, **options: object) -> "Column[int]":
    """A signed 64-bit integer."""
    return Column(name, BigInteger, **{"nullable": False, **options})  # type: ignore[arg-type]


def millis(name: str, **options: object) -> "Column[int]":
    """An instant, in milliseconds since 1970."""
    return whole(name, **options)


def number(name: str, **options: object) -> "Column[float]":
    """A double. SQLite turns NaN into NULL: keep a flag beside it where NaN is a value."""
    return Column(name, Double, **{"nullable": False, **options})  # type: ignore[arg-type]


def flag(name: str, **options: object) -> "Column[bool]":
    """A boolean, 0 or 1 in SQLite."""
    return Column(name, Boolean, **{"nullable": False, **options})  # type: ignore[arg-type]


def blob(name: str, **options: object) -> "Column[bytes]":
    """Bytes."""
    return Column(name, LargeBinary, **{"nullable": False, **options})  # type: ignore[arg-type]


def serial(name: str = "id") -> "Column[int]":
    """A primary key that the database counts up: never reused."""
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
