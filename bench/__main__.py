"""Run the measurements one after another: `python -m bench [SCRIPT …]`; without names, those that take a minute."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
QUICK = ("start.py", "small_write.py", "pipeline_overhead.py", "inference/predict.py")


def main() -> int:
    """Run them; the first status that is not 0."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
    status = 0
    for name in sys.argv[1:] or QUICK:
        script = HERE / (name if name.endswith(".py") else f"{name}.py")
        if not script.exists():
            every = sorted(str(path.relative_to(HERE)) for path in HERE.rglob("*.py") if path.name != "__main__.py")
            print(f"No measurement '{name}'. There are: {', '.join(every)}.", file=sys.stderr)
            return 2
        print(f"\n=== {script.relative_to(HERE)}", flush=True)
        done = subprocess.run([sys.executable, str(script)], env=environment, check=False)
        status = status or done.returncode
    return status


sys.exit(main())
