"""The control plane and the client name these rooms' verbs without paying for arithmetic."""

import subprocess
import sys


def test_the_verbs_import_no_heavy_package() -> None:
    code = (
        "import sys, airside.data.operations, airside.quality.operations, airside.quality.profiles\n"
        "heavy = {'numpy', 'scipy', 'pyarrow', 'pandas', 'sklearn', 'sqlalchemy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
