#!/bin/sh
# Makes (once) a Python environment with confluent-kafka, for the independent check, and prints its interpreter.
# It lies in the cache, not in the tree; half a one never counts.
set -eu
target="${XDG_CACHE_HOME:-$HOME/.cache}/tickbridge/venv"
if ! "$target/bin/python" -c 'import confluent_kafka' 2>/dev/null; then
  mkdir -p "$(dirname "$target")"
  rm -rf "$target"
  python3 -m venv "$target" >&2 || { echo "apt-get install python3-venv" >&2; exit 1; }
  "$target/bin/pip" install --quiet --disable-pip-version-check confluent-kafka==2.6.1 >&2
  "$target/bin/python" -c 'import confluent_kafka'
fi
echo "$target/bin/python"
