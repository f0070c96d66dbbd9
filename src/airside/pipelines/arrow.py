"""Arrow tables as IPC files, mapped into memory by whoever reads them."""

from pathlib import Path

import pyarrow as pa


def write(table: pa.Table, path: str) -> None:
    """Write a table as an IPC file."""
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read(path: Path) -> pa.Table:
    """Read a table without copying it: its memory is the file."""
    return pa.ipc.open_file(pa.memory_map(str(path), "r")).read_all()
