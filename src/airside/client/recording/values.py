"""Things that people log, as bytes and plain numbers: figures, tables, images, nested parameters."""

import io
import math
import struct
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airside.core.errors import Invalid

MAX_DEPTH = 10


def number_of(key: str, value: Any) -> float | None:
    """A double that JSON can carry: not a number is None, infinities are the greatest finite doubles.

    >>> number_of("m", float("nan")) is None, number_of("m", float("inf")) == sys.float_info.max
    (True, True)

    Raises:
        Invalid: it is no number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Invalid(
            f"The metric '{key[:80]}' is {type(value).__name__} {str(value)[:80]!r}, which is no number. Log texts "
            "with run.params, run.tags or run.text."
        ) from None
    if math.isnan(number):
        return None
    return max(-sys.float_info.max, min(sys.float_info.max, number))


def flat(values: Mapping[str, Any], above: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Parameters as texts; those of a mapping within get dotted names.

    >>> dict(flat({"lr": 0.1, "tree": {"depth": 7, "on": True}, "none": None}))
    {'lr': '0.1', 'tree.depth': '7', 'tree.on': 'True', 'none': 'None'}
    """
    for key, value in values.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value and depth < MAX_DEPTH:
            yield from flat(value, f"{name}.", depth + 1)
        else:
            yield name, str(value)


def figure_bytes(name: str, figure: Any) -> bytes:
    """A figure of matplotlib in the format of the name's ending, or one of plotly as a page or a picture.

    Raises:
        Invalid: it is neither.
    """
    ending = name.rpartition(".")[2].lower()
    if hasattr(figure, "savefig"):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=ending if "." in name else "png", bbox_inches="tight")
        return buffer.getvalue()
    if hasattr(figure, "to_html") and hasattr(figure, "to_image"):
        if ending in {"html", "htm"}:
            return str(figure.to_html(include_plotlyjs="cdn")).encode()
        return bytes(figure.to_image(format=ending))
    raise Invalid(
        f"'{type(figure).__name__}' is no figure of matplotlib or plotly. Save it to a file, then run.artifact."
    )


def table_bytes(data: Any) -> bytes:
    """A table in MLflow's form: `{"columns": […], "data": [[…], …]}`.

    >>> table_bytes({"a": [1, 2], "b": ["x", None]})
    b'{"columns":["a","b"],"data":[[1,"x"],[2,null]]}'
    >>> table_bytes([{"a": 1}, {"a": 2, "b": 3}])
    b'{"columns":["a","b"],"data":[[1,null],[2,3]]}'

    Raises:
        Invalid: it is no table.
    """
    columns, rows = _columns_and_rows(data)
    return msgspec.json.encode({"columns": columns, "data": rows}, enc_hook=_plain)


def _columns_and_rows(data: Any) -> tuple[list[str], list[list[Any]]]:
    if hasattr(data, "to_pydict"):  # an Arrow table
        data = data.to_pydict()
    elif hasattr(data, "columns") and hasattr(data, "to_dict") and hasattr(data, "itertuples"):  # a frame of pandas
        return [str(name) for name in data.columns], [list(row) for row in data.itertuples(index=False)]
    elif hasattr(data, "to_dicts"):  # a frame of Polars
        data = data.to_dicts()
    if isinstance(data, Mapping):
        lists = {str(name): list(values) for name, values in data.items()}
        if len({len(values) for values in lists.values()}) > 1:
            raise Invalid(
                f"The columns of the table have different lengths: { {k: len(v) for k, v in lists.items()} }."
            )
        return list(lists), [list(row) for row in zip(*lists.values(), strict=True)]
    if isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data):
        names = list(dict.fromkeys(str(name) for row in data for name in row))
        return names, [[row.get(name) for name in names] for row in data]
    raise Invalid(f"'{type(data).__name__}' is no table. Give lists by column, a list of rows, or a data frame.")


def _plain(value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:  # a scalar of numpy or torch
        return value.item()
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


def json_bytes(value: Any) -> bytes:
    """Any value as JSON, for people to read."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=_plain), indent=2)


def image_bytes(name: str, image: Any) -> bytes:
    """A picture: what Pillow can save, or an array (height, width[, 3 or 4]) of bytes or of floats from 0 to 1.

    Raises:
        Invalid: it is neither.
    """
    if hasattr(image, "save") and hasattr(image, "mode"):
        buffer = io.BytesIO()
        ending = name.rpartition(".")[2].upper() if "." in name else "PNG"
        image.save(buffer, format="JPEG" if ending == "JPG" else ending)
        return buffer.getvalue()
    shape = tuple(getattr(image, "shape", ()))
    if len(shape) not in {2, 3} or (len(shape) == 3 and shape[2] not in {1, 3, 4}):
        raise Invalid(
            f"'{type(image).__name__}' of the shape {shape} is no picture: (height, width) or (height, width, 3)."
        )
    if str(image.dtype).startswith("float"):
        image = (image.clip(0.0, 1.0) * 255.0 + 0.5).astype("uint8")
    return _png(bytes(image.astype("uint8").tobytes()), shape[1], shape[0], shape[2] if len(shape) == 3 else 1)


_COLOURS = {1: 0, 3: 2, 4: 6}
"""Channels → the colour type of PNG (RFC 2083)."""


def _png(pixels: bytes, width: int, height: int, channels: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = width * channels
    lines = b"".join(b"\0" + pixels[at : at + line] for at in range(0, line * height, line))
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
