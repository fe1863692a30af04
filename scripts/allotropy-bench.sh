#!/bin/sh
# Times each instrument file that both this library and the Python package allotropy read, in-process, in one run, and
# prints one table: scripts/allotropy-bench.sh [FOLDER with one folder a format]. The package comes from PyPI into a
# virtual environment of its own under TMPDIR; nothing is installed elsewhere.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-${QIANFA_CORPUS:-../shared/instrument-corpus}}
[ -d "$folder" ] || { echo "$folder: no such folder; name one with instrument files" >&2; exit 1; }
place=${TMPDIR:-/var/tmp}/qianfa-allotropy
if [ ! -x "$place/bin/python" ] || ! "$place/bin/python" -c 'import allotropy' 2>/dev/null; then
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet 'allotropy==0.1.150'
fi
cargo build --release --quiet -p instrument-adapters --example time
target=$(cargo metadata --format-version 1 --no-deps | "$place/bin/python" -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
exec "$place/bin/python" scripts/allotropy_bench.py "$folder" "$target/release/examples/time"
