#!/usr/bin/env bash
# What `pip install` of Airside and of MLflow brings along, in environments of their own: MB and packages.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for what in "$(cd "$(dirname "$0")/.." && pwd)" mlflow; do
  python3 -m venv "$place/env"
  "$place/env/bin/pip" install --quiet --disable-pip-version-check "$what" 2>/dev/null
  echo "$(basename "$what"): $(du -sm "$place/env/lib" | cut -f1) MB, $("$place/env/bin/pip" list 2>/dev/null | tail -n +3 | wc -l) packages"
  rm -rf "$place/env"
done
