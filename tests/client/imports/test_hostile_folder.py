"""A folder of a stranger's: whatever is in it, it is told with words and the name of the place."""

from pathlib import Path

import pytest

from airside.client.imports.folder import staged
from airside.core.errors import Invalid

EXPERIMENT = "experiment_id: '7'\nname: e\n"
RUN = "run_id: r\nstatus: 3\n"
HOSTILE = {
    "nested beyond the stack": ("meta.yaml", b"name: " + b"[" * 200_000),
    "nested in a small file": ("meta.yaml", b"name: " + b"- " * 4000),
    "a list where a name is": ("meta.yaml", EXPERIMENT.replace("name: e", "name: [[a]]").encode()),
    "an object of Python's": ("meta.yaml", b"name: !!python/object/apply:os.getcwd []"),
    "a date that is none": ("meta.yaml", EXPERIMENT.encode() + b"d: 2001-99-99\n"),
    "a number of many digits": ("meta.yaml", EXPERIMENT.encode() + b"creation_time: " + b"9" * 5000),
    "a larger file than any": ("meta.yaml", b"#" * (2 << 20)),
    "a list where a status is": ("r/meta.yaml", b"run_id: r\nstatus: [1]\n"),
    "points that are no text": ("r/metrics/m", b"1 2\n\xff\xfe\n"),
    "a number beyond 64 bits": ("r/metrics/m", b"9999999999999999999999 1 1\n"),
    "a name that is no text": ("r/params/\udcff", b"x"),
}


@pytest.mark.parametrize(("place", "content"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_hostile_in_a_folder_is_told(tmp_path: Path, place: str, content: bytes) -> None:
    experiment = tmp_path / "mlruns" / "7"
    for name in ("metrics", "params"):
        (experiment / "r" / name).mkdir(parents=True)
    (experiment / "meta.yaml").write_text(EXPERIMENT)
    (experiment / "r" / "meta.yaml").write_text(RUN)
    (experiment / place).write_bytes(content)
    with pytest.raises(Invalid, match=r"mlruns/7"):
        staged(tmp_path / "mlruns")
