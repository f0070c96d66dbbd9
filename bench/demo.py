"""The whole loop: seconds, CPU and peak memory of all processes of `airside demo --exit` together.

python bench/demo.py
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOOK_EVERY_S = 0.4
TICKS_PER_S = 100


def descendants(root: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(folder.name))
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def main() -> None:
    """Run it once and print."""
    cpu: dict[int, float] = {}
    peak_mb = 0.0
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "airside", "demo", "--exit", "--port", "0", "--home", f"{place}/home"]
        began = time.perf_counter()
        demo = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while demo.poll() is None:
            now_mb = 0.0
            for pid in descendants(demo.pid):
                try:
                    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                    cpu[pid] = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
                    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                    now_mb += int(rollup.split("Pss:")[1].split()[0]) / 1024
                except (OSError, IndexError):
                    continue
            peak_mb = max(peak_mb, now_mb)
            time.sleep(LOOK_EVERY_S)
        seconds = time.perf_counter() - began
    print(
        f"status {demo.returncode}: {seconds:.0f} s, {sum(cpu.values()):.0f} s of CPU in {len(cpu)} processes, "
        f"{peak_mb:.0f} MiB PSS at the peak"
    )
    sys.exit(demo.returncode)


if __name__ == "__main__":
    main()
