#!/bin/sh
# The Python of tests/check/venv.sh, with what draws the plots.
set -eu
python=$("$(dirname "$0")/../tests/check/venv.sh")
"$python" -c 'import matplotlib' 2>/dev/null ||
  "${python%/*}/pip" install --quiet --disable-pip-version-check matplotlib==3.9.2 >&2
echo "$python"
